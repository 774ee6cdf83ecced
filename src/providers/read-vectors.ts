import { ProviderError } from "../ports/provider-error.ts";

/**
 * Vectors as vendors send them (arrays of numbers, or base64 of little-endian float32), checked and made length 1.
 * Wrong count, wrong dimensions, NaN, infinity or a vector of zeros: `ProviderError` `bad_answer`.
 */
export function readVectors(
  values: readonly unknown[],
  expected: { provider: string; count: number; dimensions: number | null },
): Float32Array[] {
  const { provider, count } = expected;
  // A wrong count is a passing fault (a proxy, a race) more often than a wrong model is.
  if (values.length !== count) {
    throw badVectors(provider, `sent ${values.length} vectors for ${count} texts`, true);
  }
  let dimensions = expected.dimensions;
  return values.map((value) => {
    const vector = unitVector(toFloats(value, provider), provider);
    dimensions ??= vector.length;
    if (vector.length !== dimensions) {
      throw badVectors(
        provider,
        `sent a vector of ${vector.length} dimensions where ${dimensions} were expected`,
        false,
      );
    }
    return vector;
  });
}

/** The direction of the sum of unit vectors; for a text that had to be embedded in pieces. */
export function meanVector(vectors: readonly Float32Array[], provider: string): Float32Array {
  const sum = new Float32Array(vectors[0]?.length ?? 0);
  for (const vector of vectors)
    vector.forEach((value, i) => {
      sum[i] = (sum[i] ?? 0) + value;
    });
  return unitVector(sum, provider);
}

export function badVectors(provider: string, what: string, retryable: boolean): ProviderError {
  return new ProviderError(`${provider} ${what}.`, { provider, status: 200, code: "bad_answer", retryable });
}

function toFloats(value: unknown, provider: string): Float32Array {
  if (typeof value === "string") {
    const bytes = Buffer.from(value, "base64");
    if (bytes.byteLength === 0 || bytes.byteLength % 4 !== 0)
      throw badVectors(provider, "sent a broken vector", true);
    const floats = new Float32Array(bytes.byteLength / 4);
    for (let i = 0; i < floats.length; i++) floats[i] = bytes.readFloatLE(i * 4);
    return floats;
  }
  if (!Array.isArray(value) || value.length === 0) throw badVectors(provider, "sent no vector", true);
  const floats = new Float32Array(value.length);
  for (let i = 0; i < value.length; i++) floats[i] = typeof value[i] === "number" ? value[i] : Number.NaN;
  return floats;
}

/** Scales in place. The sum is kept in doubles; NaN and infinity in any place make it not finite. */
function unitVector(vector: Float32Array, provider: string): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  if (!Number.isFinite(sum) || sum === 0)
    throw badVectors(provider, "sent a vector with NaN, infinity or only zeros", false);
  const scale = 1 / Math.sqrt(sum);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) * scale;
  return vector;
}

/** The kernel works on whole SIMD registers: vectors are padded with zeros to a multiple of this. */
const LANES = 16;

/** Bytes one int8 vector takes. */
export function strideOf(dimensions: number): number {
  return Math.ceil(dimensions / LANES) * LANES;
}

/**
 * Writes `vector`, scaled to length 1, as int8 to `target` (at least `strideOf(dimensions)` zeroed bytes) and returns
 * the scale: `target[i] * scale` is the unit vector. A vector of zeros gets scale 0 and is near to nothing.
 */
export function quantize(vector: Float32Array, target: Int8Array): number {
  const { length, largest } = measure(vector);
  if (length === 0) return 0;
  const factor = 127 / largest;
  for (let i = 0; i < vector.length; i++) target[i] = Math.round((vector[i] ?? 0) * factor);
  return largest / (127 * length);
}

/** The question's vector as the kernel wants it: 16-bit, padded, with the factor that makes it a unit vector. */
export type QueryVector = { values: Int16Array; scale: number };

/** Like `quantize`, for the question: 13 bits, or fewer where sums over very many dimensions would overflow 32 bits. */
export function quantizeQuery(vector: Float32Array): QueryVector {
  const values = new Int16Array(strideOf(vector.length));
  const { length, largest } = measure(vector);
  if (length === 0) return { values, scale: 0 };
  const top = Math.min(8_191, Math.floor(2 ** 31 / (127 * vector.length)));
  for (let i = 0; i < vector.length; i++) values[i] = Math.round(((vector[i] ?? 0) / largest) * top);
  return { values, scale: largest / (top * length) };
}

function measure(vector: Float32Array): { length: number; largest: number } {
  let squares = 0;
  let largest = 0;
  for (const value of vector) {
    if (!Number.isFinite(value)) throw new RangeError("A vector holds a value that is not a finite number.");
    squares += value * value;
    largest = Math.max(largest, Math.abs(value));
  }
  return { length: Math.sqrt(squares), largest };
}

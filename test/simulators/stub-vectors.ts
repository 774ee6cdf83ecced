import { embedText } from "./embed-text.ts";
import type { Fault } from "./faults.ts";

/** The vectors of an answer, wrong in the way the fault asks for. */
export function stubVectors(
  texts: readonly string[],
  dimensions: number,
  fault: Fault | null,
): Float32Array[] {
  const vectors = texts.map((text) => embedText(text, dimensions));
  if (fault?.kind === "wrong-dimensions") return vectors.map((vector) => vector.slice(1));
  if (fault?.kind === "wrong-count") return vectors.slice(1);
  if (fault?.kind === "nan") vectors[0]?.fill(Number.NaN, 0, 1);
  return vectors;
}

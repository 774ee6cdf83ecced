import type { EmbedderLimits } from "../ports/embedder.ts";

/** As many texts from `start` on as one request may hold, and always one: a single long text is the vendor's to judge. */
export function cutBatch(
  texts: readonly string[],
  start: number,
  limits: EmbedderLimits,
  tokensOf: (text: string) => number,
): string[] {
  const batch: string[] = [];
  let tokens = 0;
  for (const text of texts.slice(start, start + limits.maxInputs)) {
    tokens += tokensOf(text);
    if (batch.length > 0 && tokens > limits.maxTokensPerRequest) break;
    batch.push(text);
  }
  return batch;
}

/**
 * A token per three bytes of UTF-8. English measures 3.7 characters a token; a Chinese or Japanese character (three
 * bytes) about one token: for all of them the guess is on the safe side.
 */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 3);
}

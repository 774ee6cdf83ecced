import type { Embedder, EmbedderLimits, EmbedInputKind, EmbedResult } from "../ports/embedder.ts";
import { ProviderError } from "../ports/provider-error.ts";
import { meanVector } from "./read-vectors.ts";
import { type RetryPolicy, retry } from "./retry.ts";

/** What the requests of one run share. */
export type EmbedRun = {
  readonly embedder: Embedder;
  readonly input: EmbedInputKind;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** Shrinks when the vendor takes less than it documents. */
  limits: EmbedderLimits;
  /** Fulfilled when the vendor wants to hear from us again. */
  pause: Promise<void>;
};

/** `split`: it took more than one request. */
type SplitResult = EmbedResult & { split: boolean };

/** One batch with retries; what is too large for one request is sent in halves, down to halves of a single text. */
export async function embedOrSplit(run: EmbedRun, texts: readonly string[]): Promise<SplitResult> {
  const { policy, signal } = run;
  const sleep = (ms: number) => holdAll(run, ms);
  try {
    const result = await retry(() => embedOnce(run, texts), { ...policy, sleep }, { signal });
    return { ...result, split: false };
  } catch (error) {
    if (!(error instanceof ProviderError) || error.code !== "input_too_large") throw error;
    return texts.length > 1 ? await embedHalves(run, texts) : await embedInPieces(run, texts[0] ?? "", error);
  }
}

async function embedOnce(run: EmbedRun, texts: readonly string[]): Promise<EmbedResult> {
  await run.pause;
  run.signal.throwIfAborted();
  return await run.embedder.embed(texts, { input: run.input, signal: run.signal });
}

/** One request told to wait means that all should: they share the key whose limit was reached. */
async function holdAll(run: EmbedRun, ms: number): Promise<void> {
  const waited = run.policy.sleep(ms, run.signal);
  run.pause = Promise.allSettled([run.pause, waited]).then(() => {});
  await waited;
}

async function embedHalves(run: EmbedRun, texts: readonly string[]): Promise<SplitResult> {
  const middle = Math.ceil(texts.length / 2);
  const first = await embedOrSplit(run, texts.slice(0, middle));
  const second = await embedOrSplit(run, texts.slice(middle));
  // Both halves passed as they were: it was their number. Else it may have been one long text, which says nothing.
  if (!first.split && !second.split) run.limits.maxInputs = Math.min(run.limits.maxInputs, middle);
  const vectors = [...first.vectors, ...second.vectors];
  return { vectors, tokens: sum(first.tokens, second.tokens), split: true };
}

/** The mean of the halves' vectors stands for the whole: better than losing the end of the text. */
async function embedInPieces(run: EmbedRun, text: string, error: ProviderError): Promise<SplitResult> {
  const pieces = halvesOf(text);
  if (pieces === null) throw error;
  const first = await embedOrSplit(run, [pieces[0]]);
  const second = await embedOrSplit(run, [pieces[1]]);
  const vector = meanVector([...first.vectors, ...second.vectors], run.embedder.provider);
  return { vectors: [vector], tokens: sum(first.tokens, second.tokens), split: true };
}

const shortestPiece = 100;

/** Cut at the space nearest before the middle, else in the middle (but not inside a surrogate pair). */
function halvesOf(text: string): [string, string] | null {
  if (text.length < 2 * shortestPiece) return null;
  const middle = Math.floor(text.length / 2);
  const space = text.lastIndexOf(" ", middle);
  let cut = space > text.length / 4 ? space + 1 : middle;
  if (/[\udc00-\udfff]/.test(text[cut] ?? "")) cut += 1;
  return [text.slice(0, cut), text.slice(cut)];
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

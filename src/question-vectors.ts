import { ProviderError } from "./ports/provider-error.ts";
import { createRecentCache } from "./retrieval/recent-cache.ts";

type Embed = (text: string) => Promise<Float32Array>;
type EmbedMany = (texts: readonly string[]) => Promise<readonly Float32Array[]>;

/** About 6 MB with vectors of 1,536 numbers. */
const KEPT = 1_000;
/** Longer ones are hardly asked twice. */
const LENGTH_MAX = 500;

/**
 * Remembers the vectors of the questions asked last: people ask the same things, and each answer of an embedding
 * provider takes longer than the search itself. The vectors depend on the text and the model alone.
 */
export function rememberQuestions(embed: Embed): Embed {
  const recent = createRecentCache<Float32Array>(KEPT);
  return async (text) => {
    const known = recent.get(text);
    if (known !== undefined) return known;
    const vector = await embed(text);
    if (text.length <= LENGTH_MAX) recent.set(text, vector);
    return vector;
  };
}

/** Calls under way at once; a question that finds this many waits for the next one. */
const CALLS_MAX = 2;
/** No provider takes fewer texts in a call. */
const BATCH_MAX = 32;

interface Waiting {
  text: string;
  resolve: (vector: Float32Array) => void;
  reject: (error: unknown) => void;
}

/**
 * Questions that come while calls are under way go out together with the next one: under load that is one call for
 * several of them, and a lone question waits for nobody.
 */
export function batchQuestions(embedMany: EmbedMany): Embed {
  let waiting: Waiting[] = [];
  let calls = 0;

  function sendNext(): void {
    while (calls < CALLS_MAX && waiting.length > 0) {
      const batch = waiting.slice(0, BATCH_MAX);
      waiting = waiting.slice(BATCH_MAX);
      calls += 1;
      void answer(embedMany, batch).finally(() => {
        calls -= 1;
        sendNext();
      });
    }
  }

  return (text) =>
    new Promise((resolve, reject) => {
      waiting.push({ text, resolve, reject });
      sendNext();
    });
}

async function answer(embedMany: EmbedMany, batch: readonly Waiting[]): Promise<void> {
  try {
    const vectors = await embedMany(batch.map(({ text }) => text));
    for (const [index, { resolve, reject }] of batch.entries()) {
      const vector = vectors[index];
      if (vector === undefined) reject(new Error("the embedder answered too few vectors"));
      else resolve(vector);
    }
  } catch (error) {
    // One question that a provider refuses must not take down those that happened to travel with it.
    const isTheirs = error instanceof ProviderError && ["rejected", "input_too_large"].includes(error.code);
    if (isTheirs && batch.length > 1) await Promise.all(batch.map((one) => answer(embedMany, [one])));
    else for (const { reject } of batch) reject(error);
  }
}

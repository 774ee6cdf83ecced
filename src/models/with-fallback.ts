import { setTimeout as sleep } from "node:timers/promises";
import type { ChatCompletion, ChatEvent, ChatModel, ChatRequest } from "../ports/chat-model.ts";
import { ProviderError } from "../ports/provider-error.ts";

/** A person waits for the answer: a longer pause than this is no answer. */
const RETRY_AFTER_MAX_MS = 2_000;
/** Not the request's fault, but this vendor's or this credential's: another one may well answer. */
const ANOTHER_MAY_ANSWER = ["unauthorized", "quota_exhausted", "not_found"];

export type FallbackHooks = {
  /** This model begins to answer; the last one named gave the answer. */
  onModel?: (model: ChatModel) => void;
  /** It failed before it said anything; for the log. */
  onFailure?: (model: ChatModel, error: ProviderError) => void;
};

/**
 * The stream of the first model that begins to answer. Once one has said a word its failure is the answer's failure:
 * nobody hears two beginnings. A last model that asks for a short pause gets it, once.
 *
 * @throws ProviderError of the last model that was tried; the reason of `signal` when it is aborted
 */
export async function* withFallback(
  models: readonly ChatModel[],
  request: ChatRequest,
  signal: AbortSignal,
  hooks: FallbackHooks = {},
): AsyncGenerator<ChatEvent, void, void> {
  const { first, rest } = await firstSuccess(models, signal, hooks, async (model) => {
    const events = model.stream(request, signal)[Symbol.asyncIterator]();
    return { first: await events.next(), rest: events };
  });
  try {
    for (let next = first; !next.done; next = await rest.next()) yield next.value;
  } finally {
    // Whoever stops listening ends the vendor's work, too.
    await rest.return?.();
  }
}

/** The same in one piece. */
export async function completeWithFallback(
  models: readonly ChatModel[],
  request: ChatRequest,
  signal: AbortSignal,
  hooks: FallbackHooks = {},
): Promise<ChatCompletion> {
  return firstSuccess(models, signal, hooks, (model) => model.complete(request, signal));
}

async function firstSuccess<T>(
  models: readonly ChatModel[],
  signal: AbortSignal,
  { onModel, onFailure }: FallbackHooks,
  attempt: (model: ChatModel) => Promise<T>,
): Promise<T> {
  let paused = false;
  for (let index = 0; ; ) {
    const model = models[index];
    if (model === undefined) throw new Error("there is no model to ask");
    try {
      onModel?.(model);
      return await attempt(model);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ProviderError)) throw error;
      onFailure?.(model, error);
      const next = models.findIndex((other, place) => place > index && mayAnswer(error, model, other));
      if (next > 0) {
        index = next;
        continue;
      }
      if (paused || !error.retryable || (error.retryAfterMs ?? Infinity) > RETRY_AFTER_MAX_MS) throw error;
      paused = true;
      await sleep(error.retryAfterMs ?? 0, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

function mayAnswer(error: ProviderError, failed: ChatModel, other: ChatModel): boolean {
  if (error.code === "input_too_large") return other.contextTokens > failed.contextTokens;
  return error.retryable || ANOTHER_MAY_ANSWER.includes(error.code);
}

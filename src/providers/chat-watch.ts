import { ProviderError } from "../ports/provider-error.ts";
import { CHAT_TIMEOUTS, type ChatTimeouts } from "./chat-options.ts";

/** Watches over one request to a chat model: the caller's wish to stop, and three time limits. */
export type ChatWatch = {
  /** For the request. */
  signal: AbortSignal;
  /** The vendor said something of the answer. */
  beat(): void;
  /** What a failure under `signal` was really about. */
  reasonFor(error: unknown): unknown;
  /** The request is over: whatever still goes on is broken off. */
  stop(): void;
  /** The answer is complete: the clocks stop, and the connection may live on. */
  finish(): void;
};

/** One timer that is moved on costs less than one a token; hence no `AbortSignal.timeout`. */
export function startChatWatch(
  provider: string,
  caller: AbortSignal,
  timeouts: Partial<ChatTimeouts> = {},
): ChatWatch {
  caller.throwIfAborted();
  const { firstMs, stallMs, wholeMs } = { ...CHAT_TIMEOUTS, ...timeouts };
  const stopping = new AbortController();
  const fail = (message: string) =>
    stopping.abort(new ProviderError(message, { provider, code: "timeout", retryable: true }));
  const onAbort = () => stopping.abort(caller.reason);
  caller.addEventListener("abort", onAbort, { once: true });
  const whole = setTimeout(
    () => fail(`${provider} did not finish its answer within ${wholeMs} ms.`),
    wholeMs,
  );
  const first = setTimeout(() => fail(`${provider} did not begin to answer within ${firstMs} ms.`), firstMs);
  let silence: NodeJS.Timeout | undefined;

  const clear = () => {
    caller.removeEventListener("abort", onAbort);
    clearTimeout(whole);
    clearTimeout(first);
    clearTimeout(silence);
  };
  return {
    signal: stopping.signal,
    beat() {
      if (silence !== undefined) {
        silence.refresh();
        return;
      }
      clearTimeout(first);
      silence = setTimeout(() => fail(`${provider} fell silent for ${stallMs} ms.`), stallMs);
    },
    reasonFor: (error) => (stopping.signal.aborted ? stopping.signal.reason : error),
    stop() {
      clear();
      stopping.abort(new Error("the answer is no longer wanted"));
    },
    finish: clear,
  };
}

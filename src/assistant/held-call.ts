import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import type { TurnEvent, TurnQuestion } from "./turn.ts";

/** A phone call that is held elsewhere, while its answers come from here. */
export interface HeldCall {
  /** Whose conversation it is, and how it is answered. */
  question: Pick<
    TurnQuestion,
    "channel" | "sessionId" | "contactId" | "turnId" | "instructions" | "onAsking"
  >;
  /** The answer as it is spoken; whatever becomes of it, the caller hears something. */
  speak(
    events: AsyncGenerator<TurnEvent, void, void>,
    signal: AbortSignal,
  ): AsyncGenerator<TurnEvent, void, void>;
}

/**
 * The call that a request for an answer belongs to; null: none, it is a client like any other.
 *
 * @param request as it was sent, with what OpenAI's own clients do not send
 * @param asked the caller's words
 */
export type JoinCall = (
  app: App,
  caller: AccountCaller,
  request: Readonly<Record<string, unknown>>,
  asked: string,
) => Promise<HeldCall | null>;

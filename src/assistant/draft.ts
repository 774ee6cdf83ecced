import type { App } from "../context.ts";
import { countTokens } from "../models/tokens.ts";
import type { ChatMessage, ChatModel } from "../ports/chat-model.ts";
import type { Source } from "./sources.ts";
import type { TurnEnd, TurnMetrics } from "./turn.ts";

/** An answer as far as it has come. */
export interface Draft {
  text: string;
  sources: Source[];
  reason: TurnEnd["reason"];
  /** What the models were asked for until now. */
  usage: { inputTokens: number; outputTokens: number };
  /** What a model has been told without having said yet what it cost. */
  unsettled: readonly ChatMessage[] | null;
  /** Who answers; `null`: no model. */
  model: ChatModel | null;
  begunAtMs: number;
}

export function draftOf(app: App): Draft {
  return {
    text: "",
    sources: [],
    reason: "stop",
    usage: { inputTokens: 0, outputTokens: 0 },
    unsettled: null,
    model: null,
    begunAtMs: app.now().getTime(),
  };
}

/** What the turn took until now; of a model that was interrupted, what it must have taken. */
export function metricsOf(app: App, draft: Draft): TurnMetrics {
  const { usage, unsettled, model, begunAtMs } = draft;
  if (unsettled !== null) {
    usage.inputTokens += unsettled.reduce((sum, { text }) => sum + countTokens(text), 0);
    usage.outputTokens += countTokens(draft.text);
    draft.unsettled = null;
  }
  const now = app.now();
  const seconds = (now.getTime() - begunAtMs) / 1000;
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    duration: seconds,
    outputTps: seconds === 0 ? 0 : usage.outputTokens / seconds,
    model: model?.model ?? null,
    provider: model?.provider ?? null,
    timestamp: now.toISOString(),
  };
}

import type { App } from "../context.ts";
import { findPassages } from "../documents/search.ts";
import { readWholeText, WHOLE_TOKENS_MAX } from "../documents/whole-text.ts";
import type { ChatModel } from "../ports/chat-model.ts";
import type { WorkspaceRow } from "../workspaces/find.ts";
import type { PastTurn } from "./history.ts";
import { rewriteQuestion } from "./rewrite-question.ts";
import type { Evidence } from "./sources.ts";
import type { ChatMode } from "./turn.ts";

/** The whole workspace takes at most this share of the model's window. */
const WHOLE_SHARE = 0.25;

/** What an answer may rest on. */
export interface Grounding {
  /** `whole`: all there is in the workspace; `search`: what was found for the question. */
  kind: "whole" | "search";
  evidence: readonly Evidence[];
  usage: { inputTokens: number; outputTokens: number };
  /** From the question that stands for itself to the passages that were chosen: no model's time is in it. */
  retrievalMs: number;
}

interface Asked {
  question: string;
  mode: ChatMode;
  turns: readonly PastTurn[];
  /** The models that may answer, the first choice first; empty: nobody reads more than a few sentences. */
  models: readonly ChatModel[];
}

/**
 * In `chat` and `automatic`, a workspace that fits is read whole: no search can miss what is there. Everything else is
 * searched, with a question that was made to stand for itself. `query` always searches, since finding nothing is what
 * it refuses by.
 */
export async function groundQuestion(
  app: App,
  workspace: WorkspaceRow,
  { question, mode, turns, models }: Asked,
  signal: AbortSignal,
): Promise<Grounding> {
  const [model] = models;
  const begunMs = performance.now();
  if (mode !== "query" && model !== undefined) {
    const window = Math.min(...models.map(({ contextTokens }) => contextTokens));
    const whole = await readWholeText(app, workspace);
    if (whole !== null && whole.tokens <= Math.min(WHOLE_TOKENS_MAX, window * WHOLE_SHARE))
      return {
        kind: "whole",
        evidence: whole.passages,
        usage: { inputTokens: 0, outputTokens: 0 },
        retrievalMs: performance.now() - begunMs,
      };
  }
  const readMs = performance.now() - begunMs;
  const { query, usage } = await rewriteQuestion(app, model, question, turns, signal);
  const searchedMs = performance.now();
  const passages = await searchFor(app, workspace, query);
  const retrievalMs = readMs + performance.now() - searchedMs;
  return { kind: "search", evidence: passages, usage, retrievalMs };
}

/** What a search may be asked for; the beginning of a longer message says what it is about. */
const QUERY_CHARS_MAX = 10_000;

export async function searchFor(app: App, workspace: WorkspaceRow, query: string): Promise<Evidence[]> {
  const text = query.slice(0, QUERY_CHARS_MAX);
  if (text.trim() === "") return [];
  return findPassages(app, workspace, { query: text });
}

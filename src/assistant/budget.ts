import { Problem } from "../http/problem.ts";

/** What goes around each message on the wire. */
const MESSAGE_TOKENS = 8;
/** No two vendors count alike: this share of the window stays empty. */
const MARGIN_SHARE = 0.06;
/** The least that an answer may have. */
const ANSWER_TOKENS_MIN = 64;
const ANSWER_SHARE = 0.25;
/** Of what is left beside instructions and question, sources take so much at most where there is a history. */
const SOURCES_SHARE = 0.6;

/** Counts the tokens of a text; may be too high, never too low. */
export type Counter = (text: string) => number;

/** What a message costs with what goes around it. */
export function costOf(text: string, count: Counter): number {
  return count(text) + MESSAGE_TOKENS;
}

/** What could go to the model, in tokens. */
export interface Draft<Piece, Turn> {
  contextTokens: number;
  maxOutputTokens: number;
  /** What must be in: instructions, tools, the question with what stands around it. */
  fixedTokens: number;
  /** Best first. */
  sources: readonly Piece[];
  costOfSource(source: Piece, index: number): number;
  /** Oldest first; a turn goes in whole or not at all. */
  history: readonly Turn[];
  costOfTurn(turn: Turn): number;
}

export interface Fit<Piece, Turn> {
  sources: Piece[];
  history: Turn[];
  maxOutputTokens: number;
  /** Tokens left for results of tools. */
  spareTokens: number;
}

/**
 * Chooses what of sources and history goes to the model, so that all of it and the answer fit. Sources go first, the
 * newest of the history next; what either does not use, the other may.
 *
 * @throws Problem `invalid_request` when instructions and question alone are too much
 */
export function fitPrompt<Piece, Turn>(draft: Draft<Piece, Turn>): Fit<Piece, Turn> {
  const { window, answer } = shares(draft);
  const room = window - answer - draft.fixedTokens;
  if (room < 0) {
    throw new Problem(
      "invalid_request",
      "The message and the workspace's prompt are together longer than the language model takes. Shorten one of them.",
      { details: [{ path: "body.message", message: "is too long for the language model" }] },
    );
  }

  const sourceCosts = draft.sources.map((source, index) => draft.costOfSource(source, index));
  const turnCosts = draft.history.map((turn) => draft.costOfTurn(turn));
  const wantedByTurns = turnCosts.reduce((sum, tokens) => sum + tokens, 0);
  const sourceRoom = Math.max(Math.floor(room * SOURCES_SHARE), room - wantedByTurns);
  const sources = takeWhileFits(sourceCosts, sourceRoom);
  const turns = takeWhileFits(turnCosts.toReversed(), room - sources.tokens);
  const left = room - sources.tokens - turns.tokens;
  // An answer may be longer where nothing else needs the room.
  const more = Math.min(Math.max(0, draft.maxOutputTokens - answer), Math.floor(left / 2));
  return {
    sources: draft.sources.slice(0, sources.count),
    history: draft.history.slice(draft.history.length - turns.count),
    maxOutputTokens: answer + more,
    spareTokens: left - more,
  };
}

/** What of a model's window may be used, and what of that is kept for the answer. */
export function shares({
  contextTokens,
  maxOutputTokens,
}: {
  contextTokens: number;
  maxOutputTokens: number;
}) {
  const window = Math.floor(contextTokens * (1 - MARGIN_SHARE));
  const most = Math.min(maxOutputTokens, Math.floor(window * ANSWER_SHARE));
  return { window, answer: Math.max(Math.min(ANSWER_TOKENS_MIN, maxOutputTokens), most) };
}

function takeWhileFits(costs: readonly number[], room: number): { count: number; tokens: number } {
  let tokens = 0;
  let count = 0;
  for (const cost of costs) {
    if (tokens + cost > room) break;
    tokens += cost;
    count += 1;
  }
  return { count, tokens };
}

/** The beginning of a text that has at most so many tokens, and says that it was cut. */
export function cutToTokens(text: string, tokens: number, count: Counter): string {
  const note = " […]";
  if (count(text) <= tokens) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (count(text.slice(0, middle) + note) <= tokens) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? "" : `${text.slice(0, low)}${note}`;
}

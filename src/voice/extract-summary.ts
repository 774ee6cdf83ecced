import type { TranscriptEntry } from "./project-call.ts";

const EXCHANGES_MAX = 3;
const QUOTE_CHARS_MAX = 200;

interface Exchange {
  asked: string;
  answered: string;
}

/**
 * A summary without a model: the exchanges in which the caller said most, word for word and in their order. Nothing in
 * it is ours, so it is in the language of the call. Null: the caller said nothing.
 */
export function extractSummary(transcript: readonly TranscriptEntry[]): string | null {
  const exchanges = exchangesOf(transcript);
  const most = exchanges.toSorted((a, b) => b.asked.length - a.asked.length).slice(0, EXCHANGES_MAX);
  const kept = exchanges.filter((exchange) => most.includes(exchange));
  if (kept.length === 0) return null;
  return kept
    .map(({ asked, answered }) =>
      [asked, answered]
        .filter((text) => text !== "")
        .map(quote)
        .join(" – "),
    )
    .join("\n");
}

/** What the caller said until somebody answered, and what they were answered. */
function exchangesOf(transcript: readonly TranscriptEntry[]): Exchange[] {
  const exchanges: Exchange[] = [];
  for (const { role, text } of transcript) {
    const last = exchanges.at(-1);
    if (role === "user") {
      if (last !== undefined && last.answered === "") last.asked = `${last.asked} ${text.trim()}`;
      else exchanges.push({ asked: text.trim(), answered: "" });
    } else if (role === "assistant" && last !== undefined)
      last.answered = `${last.answered} ${text.trim()}`.trim();
  }
  return exchanges.filter(({ asked }) => asked !== "");
}

/** Cut at a word, so that nothing is said that was not. */
function quote(text: string): string {
  const short = text.replace(/\s+/g, " ");
  if (short.length <= QUOTE_CHARS_MAX) return `“${short}”`;
  const cut = short.slice(0, QUOTE_CHARS_MAX);
  const end = cut.lastIndexOf(" ");
  return `“${cut.slice(0, end > 0 ? end : undefined).toWellFormed()}…”`;
}

import { type RawBuilder, sql } from "kysely";
import { fold } from "../retrieval/fold.ts";
import { forEachWord } from "../retrieval/tokenize.ts";
import type { CallOwner, CallRow } from "./call-row.ts";
import type { EndedReason } from "./ended-reasons.ts";
import type { TranscriptEntry } from "./project-call.ts";

/** As much as an index takes of one call; a call of two hours says fewer different words. */
const WORDS_MAX = 5_000;
const WORD_CHARS_MAX = 100;
const ASKED_MAX = 20;

/** What is known of a call beside its words, once it has ended. */
export interface CallFacts {
  account: string;
  organization: number;
  workspace: number;
  direction: string;
  reason: string;
  tools: boolean;
  number: number | null;
  caller: string | null;
}

export function callFacts(
  owner: CallOwner,
  call: Pick<CallRow, "direction" | "number_id" | "caller_number">,
  { reason, hasToolCalls }: { reason: EndedReason; hasToolCalls: boolean },
): CallFacts {
  return {
    account: owner.accountId,
    organization: owner.organizationId,
    workspace: owner.workspaceId,
    direction: call.direction,
    reason,
    tools: hasToolCalls,
    number: call.number_id,
    caller: call.caller_number,
  };
}

/**
 * What a call is found by. The facts are words as well: looked for together with what was said, they keep a word that
 * half of the installation says from being looked up for everybody.
 */
export function wordsVector(transcript: readonly TranscriptEntry[], facts: CallFacts): RawBuilder<string> {
  const words = new Set(factWords(facts));
  for (const { text } of transcript)
    for (const word of wordsOf(text)) if (words.size < WORDS_MAX) words.add(word);
  return sql<string>`array_to_tsvector(${[...words]}::text[])`;
}

/** Every word must have been said, in any order, in a call of these facts; undefined: there is no word in it. */
export function wordsQuery(asked: string, facts: Partial<CallFacts>): string | undefined {
  const words = [...new Set(wordsOf(asked))].slice(0, ASKED_MAX);
  if (words.length === 0) return undefined;
  return [...factWords(facts), ...words].map((word) => `'${word.replaceAll(/['\\]/g, "")}'`).join(" & ");
}

/** Letters and digits only, so that no word can pass for one of a place. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  forEachWord(text, null, (word) => {
    if (!word.joined) words.push(fold(word.text).slice(0, WORD_CHARS_MAX));
  });
  return words;
}

/** No word that was said begins like this. */
function factWords(facts: Partial<CallFacts>): string[] {
  return Object.entries(facts).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [`@${name}:${value}`],
  );
}

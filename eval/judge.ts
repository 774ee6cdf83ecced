import { PHRASES } from "../src/assistant/phrases.ts";
import { citedNumbers, countSupported, holds, states } from "./measure.ts";
import type { Answer, Passage, Platform } from "./platform.ts";
import type { Question } from "./questions.ts";

/** What the workspace is set to say when it has nothing: so that a refusal is told without guessing. */
export const REFUSAL = "EVAL: nothing was found.";

/** How one question went. */
export interface Mark {
  question: Question;
  answer: Answer;
  /** Place of the right passage among the ten best, from 0; null when it is not there. */
  rank: number | null;
  /** It is among those that an answer is made from: the workspace's number of passages, above its threshold. */
  used: boolean;
  refused: boolean;
  /** The answer says every fact. */
  right: boolean;
  /** One of the sources it cites is the right file and holds the place. */
  cited: boolean;
  /** That source says the right page; null where the file has no pages, or nothing right is cited. */
  pageRight: boolean | null;
  sentences: number;
  supported: number;
  /** The sentences that are not. */
  unsupported: string[];
  /** Citations of sources that do not exist. */
  unknownCitations: number;
  searchMs: number;
}

export type Documents = ReadonlyMap<string, { id: string; docpath: string }>;

/** What the platform says around quotations when there is no model. */
const FIXED = [
  REFUSAL,
  ...Object.values(PHRASES).flatMap(({ quoted, noModel, onlyQuotes }) => [quoted, noModel, onlyQuotes]),
];
/** How many passages are looked through for the right one. */
const LOOK_AT = 10;

export async function judgeQuestion(
  platform: Platform,
  documents: Documents,
  question: Question,
): Promise<Mark> {
  const document = documents.get(question.file);
  const isRight = ({ text, metadata }: Passage) =>
    metadata.document_id === document?.id && holds(text, question.place);
  const all = await platform.search(question.ask, { topN: LOOK_AT, scoreThreshold: 0 });
  const used = await platform.search(question.ask);
  const answer = await platform.ask(question.ask);
  const rank = all.passages.findIndex(isRight);
  const numbers = citedNumbers(answer.text);
  const right = numbers
    .flatMap((number) => answer.sources[number - 1] ?? [])
    .filter((source) => source.docpath === document?.docpath && holds(source.text, question.place));
  return {
    question,
    answer,
    rank: rank < 0 ? null : rank,
    used: used.passages.some(isRight),
    refused: isRefusal(answer),
    right: question.facts.every((fact) => states(answer.text, fact)),
    cited: right.length > 0,
    pageRight:
      question.page === undefined || right.length === 0
        ? null
        : right.some(({ page }) => page === question.page),
    ...countSupported(answer.text, answer.sources, FIXED),
    unknownCitations: numbers.filter((number) => answer.sources[number - 1] === undefined).length,
    searchMs: used.ms,
  };
}

/** The fixed sentence, or, as a model may refuse in words of its own, an answer that cites nothing. */
export function isRefusal({ text }: Pick<Answer, "text">): boolean {
  return text.includes(REFUSAL) || citedNumbers(text).length === 0;
}

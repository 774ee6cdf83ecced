import type { CallOwner, CallRow } from "./call-row.ts";
import type { EndedReason } from "./ended-reasons.ts";

/** What a call is found by beside its words, once it has ended. */
export interface CallFacts {
  account: string;
  organization: number;
  workspace: number;
  direction: string;
  reason: string;
  tools: boolean;
  number: number | null;
  caller: string | null;
  startedAt: Date;
  seconds: number;
}

type PlaceFacts = Pick<CallFacts, "account" | "organization" | "workspace">;
type EqualFacts = Omit<CallFacts, keyof PlaceFacts | "startedAt" | "seconds">;

type Asked<Facts> = { readonly [Name in keyof Facts]?: Facts[Name] | undefined };

/** What is asked for: equal facts, and ranges of the two others. */
export interface AskedFacts {
  place: Asked<PlaceFacts>;
  equal: Asked<EqualFacts>;
  /** Calls that began at this time or later. */
  from?: Date | undefined;
  /** Calls that began before this time. */
  to?: Date | undefined;
  minSeconds?: number | undefined;
  maxSeconds?: number | undefined;
}

export function callFacts(
  owner: CallOwner,
  call: Pick<CallRow, "direction" | "number_id" | "caller_number" | "started_at">,
  { reason, hasToolCalls, seconds }: { reason: EndedReason; hasToolCalls: boolean; seconds: number },
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
    startedAt: call.started_at,
    seconds,
  };
}

const DAY_MS = 86_400_000;
/** More days than these are told by their months, more months not at all. */
const DAYS_MAX = 10;
const MONTHS_MAX = 120;
/** Of the shortest month: steps of it meet every one. */
const MONTH_DAYS = 28;
/** Durations are told to ten seconds and to a hundred; from here on, all are long. */
const LONG_SECONDS = 1_000;
const LONG = "@seconds:long";

/** Facts as words: no word that was said begins like them. */
export function factWords(facts: CallFacts): string[] {
  const { account, organization, workspace, startedAt, seconds, ...equal } = facts;
  const places = placeWords({ account, organization, workspace });
  return [
    ...places,
    ...places.map((place) => inMonth(place, startedAt)),
    ...equalWords(equal),
    dayWord(startedAt),
    ...(seconds < LONG_SECONDS ? [tensWord(seconds), hundredsWord(seconds)] : [LONG]),
  ];
}

/**
 * The words of which a call has all (one of each list, for ranges). Of a range they select a little more than it holds,
 * or are left out where they would be too many: the exact ends are for whoever reads the columns.
 */
export function askedWords({ place, equal, from, to, minSeconds, maxSeconds }: AskedFacts): string[][] {
  const time = from === undefined || to === undefined ? undefined : { from, to };
  const days = time === undefined ? [] : daysOf(time);
  const isInMonths = time !== undefined && days.length === 0 && lengthOf(time) <= MONTHS_MAX * MONTH_DAYS;
  const places = placeWords(place).map((word) => (isInMonths ? monthsOf(time, word) : [word]));
  const ranges = [days, secondsWords(minSeconds, maxSeconds)].filter((words) => words.length > 0);
  return [...places, ...equalWords(equal).map((word) => [word]), ...ranges];
}

/** An account's id is long; what its end says of it is enough, beside its column. */
function placeWords({ account, ...place }: AskedFacts["place"]): string[] {
  return equalWords({ account: account?.slice(-12), ...place });
}

function equalWords(facts: Readonly<Record<string, string | number | boolean | null | undefined>>): string[] {
  return Object.entries(facts).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [`@${name}:${value}`],
  );
}

interface Span {
  from: Date;
  to: Date;
}

/** Days. */
function lengthOf({ from, to }: Span): number {
  return (to.getTime() - from.getTime()) / DAY_MS;
}

function daysOf(span: Span): string[] {
  return lengthOf(span) > DAYS_MAX ? [] : wordsOf(span, 1, dayWord);
}

/** One word for each place and month: two lists of them would be two to be gone through. */
function monthsOf(span: Span, place: string): string[] {
  return wordsOf(span, MONTH_DAYS, (at) => inMonth(place, at));
}

function wordsOf({ from, to }: Span, stepDays: number, wordOf: (at: Date) => string): string[] {
  const words = new Set<string>();
  for (let at = from.getTime(); at < to.getTime(); at += stepDays * DAY_MS) words.add(wordOf(new Date(at)));
  return [...words.add(wordOf(to))];
}

function dayWord(at: Date): string {
  return `@day:${at.toISOString().slice(0, 10)}`;
}

function inMonth(place: string, at: Date): string {
  return `${place}:${at.toISOString().slice(0, 7)}`;
}

/** By hundreds, and at both ends by tens. */
function secondsWords(min = 0, max = Number.POSITIVE_INFINITY): string[] {
  if (min === 0 && max === Number.POSITIVE_INFINITY) return [];
  const words = new Set<string>();
  for (let at = Math.floor(min / 10) * 10; at <= Math.min(max, LONG_SECONDS - 1); ) {
    const isWhole = at % 100 === 0 && at + 99 <= max;
    words.add(isWhole ? hundredsWord(at) : tensWord(at));
    at += isWhole ? 100 : 10;
  }
  if (max >= LONG_SECONDS) words.add(LONG);
  return [...words];
}

function tensWord(seconds: number): string {
  return `@seconds10:${Math.floor(seconds / 10)}`;
}

function hundredsWord(seconds: number): string {
  return `@seconds100:${Math.floor(seconds / 100)}`;
}

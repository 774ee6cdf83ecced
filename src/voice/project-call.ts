import type { CallEvent } from "./call-events.ts";
import { type CallTransfer, projectTransfer } from "./project-transfer.ts";

/** One thing that was said or done, in the order in which it was. */
export interface TranscriptEntry {
  role: "user" | "assistant" | "tool" | "dtmf";
  /** What was heard of it; the keys that were pressed; empty for a tool. */
  text: string;
  /** Milliseconds since the call began to ring. */
  at_ms: number;
  /** The caller spoke over it. */
  interrupted: boolean;
  tool?: { name: string; status: "ok" | "failed" | "unfinished"; code: string | null; ms: number | null };
}

/** From the caller's last word to our first, over all turns of a call. Null: no turn was measured. */
export interface Percentiles {
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
}

export interface CallLatency extends Percentiles {
  turns: number;
  /** What of it was ours: without the model, the voice and the line. */
  ours: Percentiles;
  /** What of ours went into the search for passages. */
  retrieval: Percentiles;
}

export interface CallCost {
  /** Null while its parts are in different currencies. */
  amount: number | null;
  currency: string | null;
  items: { item: string; amount: number; currency: string }[];
}

/** What a call comes down to. */
export interface ProjectedCall {
  answeredAt: Date | null;
  transcript: TranscriptEntry[];
  hasToolCalls: boolean;
  latency: CallLatency;
  recordingUrl: string | null;
  /** A summary that came from outside. */
  summary: string | null;
  /** Null while nobody has sent a bill. */
  cost: CallCost | null;
  transfer: CallTransfer | null;
}

/** The same events in the same order come to the same call, whoever asks and whenever. */
export function projectCall(events: readonly CallEvent[], startedAt: Date): ProjectedCall {
  return {
    answeredAt: events.find(({ kind }) => kind === "answered")?.at ?? null,
    transcript: weave(events, startedAt),
    hasToolCalls: events.some(({ kind }) => kind === "tool_started" || kind === "tool_ended"),
    latency: latencyOf(events),
    recordingUrl: lastOf(events, "recording")?.url ?? null,
    summary: lastOf(events, "summary")?.text ?? null,
    cost: costOf(events),
    transfer: projectTransfer(events),
  };
}

interface Weaving {
  startedAt: Date;
  entries: (TranscriptEntry & { turnId?: string; toolCallId?: string })[];
  /** What is said of these from here on, nobody hears. */
  interrupted: Set<string>;
}

function weave(events: readonly CallEvent[], startedAt: Date): TranscriptEntry[] {
  const weaving: Weaving = { startedAt, entries: [], interrupted: new Set() };
  for (const event of events) add(weaving, event);
  const reported = lastOf(events, "transcript");
  if (reported !== undefined) weaving.entries = retell(weaving, reported.entries);
  return weaving.entries.map(({ turnId: _turn, toolCallId: _call, ...entry }) => ({
    ...entry,
    text: entry.text.trim(),
  }));
}

function add(weaving: Weaving, event: CallEvent): void {
  const { entries } = weaving;
  const at = { at_ms: Math.max(0, event.at.getTime() - weaving.startedAt.getTime()), interrupted: false };
  switch (event.kind) {
    case "caller_said":
      entries.push({ role: "user", text: event.text, ...at });
      return;
    case "agent_said":
      addSaid(weaving, event, at);
      return;
    case "interrupted":
      interrupt(weaving, event.turnId, event.heard);
      return;
    case "dtmf":
      addDigit(entries, event.digit, at);
      return;
    case "tool_started":
    case "tool_ended":
      addTool(entries, event, at);
  }
}

/** What was said is the platform's to tell; what it has not heard of, such as our tools, stays where it was. */
function retell(
  { entries, startedAt }: Weaving,
  reported: Extract<CallEvent, { kind: "transcript" }>["entries"],
): Weaving["entries"] {
  const told: Weaving["entries"] = reported.map(({ time, ...entry }) => ({
    ...entry,
    at_ms: Math.max(0, time - startedAt.getTime()),
  }));
  const unheard = entries.filter(({ role }) => role !== "user" && role !== "assistant");
  return [...told, ...unheard].toSorted((a, b) => a.at_ms - b.at_ms);
}

type At = Pick<TranscriptEntry, "at_ms" | "interrupted">;

function addSaid(
  { entries, interrupted }: Weaving,
  { turnId, text }: { turnId: string; text: string },
  at: At,
): void {
  if (interrupted.has(turnId)) return;
  const last = entries.at(-1);
  if (last?.role === "assistant" && last.turnId === turnId) last.text += text;
  else entries.push({ role: "assistant", text, ...at, turnId });
}

/** Carriers say what was heard of the whole answer, or only of its last piece: both are understood. */
function interrupt(weaving: Weaving, turnId: string, heard: string): void {
  if (weaving.interrupted.has(turnId)) return;
  weaving.interrupted.add(turnId);
  const said = weaving.entries.filter((entry) => entry.role === "assistant" && entry.turnId === turnId);
  let rest = heard.trim();
  for (const entry of said) {
    const text = entry.text.trim();
    if (rest !== "" && rest.startsWith(text)) {
      rest = rest.slice(text.length).trim();
      continue;
    }
    if (!text.startsWith(rest)) continue;
    cut(weaving, entry, rest, said);
    return;
  }
  const last = said.at(-1);
  // All of it was heard, or words that are nowhere in it: the carrier knows best what it has played.
  if (last !== undefined) cut(weaving, last, rest === "" ? last.text : rest, said);
}

/** Nothing of the turn was heard behind this. */
function cut(
  weaving: Weaving,
  entry: TranscriptEntry,
  heard: string,
  said: readonly TranscriptEntry[],
): void {
  entry.text = heard;
  entry.interrupted = true;
  const unheard = said.slice(said.indexOf(entry) + 1);
  weaving.entries = weaving.entries.filter((one) => !unheard.includes(one));
}

/** Keys that are pressed one after the other are one entry. */
function addDigit(entries: Weaving["entries"], digit: string, at: At): void {
  const last = entries.at(-1);
  if (last?.role === "dtmf") last.text += digit;
  else entries.push({ role: "dtmf", text: digit, ...at });
}

function addTool(
  entries: Weaving["entries"],
  event: Extract<CallEvent, { kind: "tool_started" | "tool_ended" }>,
  at: At,
): void {
  const { toolCallId, name } = event;
  const known = entries.find((entry) => entry.toolCallId === toolCallId);
  const tool =
    event.kind === "tool_ended"
      ? { name, status: event.status, code: event.code ?? null, ms: Math.round(event.ms) }
      : { name, status: "unfinished" as const, code: null, ms: null };
  if (known === undefined) entries.push({ role: "tool", text: "", ...at, tool, toolCallId });
  else if (event.kind === "tool_ended") known.tool = tool;
}

function latencyOf(events: readonly CallEvent[]): CallLatency {
  const turns = new Map<string, Extract<CallEvent, { kind: "turn_timed" }>>();
  for (const event of events) if (event.kind === "turn_timed") turns.set(event.turnId, event);
  const timed = [...turns.values()];
  return {
    turns: timed.length,
    ...percentiles(timed.map(({ totalMs }) => totalMs)),
    ours: percentiles(timed.map(({ oursMs }) => oursMs)),
    retrieval: percentiles(timed.flatMap(({ retrievalMs }) => retrievalMs ?? [])),
  };
}

/** By nearest rank: a figure that was measured, never one in between. */
function percentiles(values: number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    return value === undefined ? null : Math.round(value);
  };
  return { p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99) };
}

function costOf(events: readonly CallEvent[]): CallCost | null {
  const byItem = new Map<string, CallCost["items"][number]>();
  for (const event of events) {
    if (event.kind !== "cost") continue;
    const { item, amount, currency } = event;
    byItem.set(item, { item, amount, currency });
  }
  const items = [...byItem.values()];
  const [first] = items;
  if (first === undefined) return null;
  const isOne = items.every(({ currency }) => currency === first.currency);
  const sum = items.reduce((total, { amount }) => total + amount, 0);
  return {
    // Bills have at most six decimals; sums of floats have more.
    amount: isOne ? Math.round(sum * 1e6) / 1e6 : null,
    currency: isOne ? first.currency : null,
    items,
  };
}

function lastOf<Kind extends CallEvent["kind"]>(events: readonly CallEvent[], kind: Kind) {
  return events.findLast((event): event is Extract<CallEvent, { kind: Kind }> => event.kind === kind);
}

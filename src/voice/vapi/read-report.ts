import type { CallEvent, NewCallEvent, TransferOutcome } from "../call-events.ts";
import type { VapiCall } from "./vapi-call.ts";

/** More than anybody says in the longest call that Vapi allows. */
const ENTRIES_MAX = 2_000;
const TEXT_MAX = 20_000;
const URL_MAX = 2_000;
/** A caller who speaks over the last word is heard to do so a moment after it. */
const INTERRUPTION_LATE_MS = 1_500;
const ROLES: Readonly<Record<string, "user" | "assistant">> = {
  user: "user",
  bot: "assistant",
  assistant: "assistant",
};

/** What Vapi bills, by what we call it. All of it is in US dollars. */
const ITEMS: Readonly<Record<string, string>> = {
  transport: "carrier",
  transcriber: "transcriber",
  model: "model",
  voice: "voice",
};

/**
 * What Vapi says of a call that is over, as events: each with a key, so that a report that comes twice is written once.
 *
 * @param known what was written during the call
 * @param at when what has no time of its own happened
 */
export function readReport(call: VapiCall, known: readonly CallEvent[], at: Date): NewCallEvent[] {
  return [
    ...transcriptOf(call, known, at),
    ...transferOf(call, known, at),
    ...latenciesOf(call, known, at),
    ...recordingOf(call, at),
    ...summaryOf(call, at),
    ...costsOf(call, at),
  ];
}

/** What both sides said, by Vapi's ear: of an answer that was interrupted, what was heard. */
function transcriptOf({ artifact }: VapiCall, known: readonly CallEvent[], at: Date): NewCallEvent[] {
  const interruptions = known.flatMap((event) =>
    event.kind === "provider_status" && event.status === "user-interrupted" ? [event.at.getTime()] : [],
  );
  const said = (artifact?.messages ?? []).flatMap(({ role, message, time, endTime }) => {
    const who = ROLES[role];
    const text = (message ?? "").trim().slice(0, TEXT_MAX);
    if (who === undefined || text === "" || time == null) return [];
    return [{ role: who, text, time, until: (endTime ?? time) + INTERRUPTION_LATE_MS }];
  });
  // Of what the assistant said, it is the last that had begun.
  const cut = interruptions.map((moment) =>
    said.findLast(({ role, time, until }) => role === "assistant" && time <= moment && moment <= until),
  );
  const entries = said.map((one) => {
    const { until: _, ...entry } = one;
    return { ...entry, interrupted: cut.includes(one) };
  });
  if (entries.length === 0) return [];
  return [{ kind: "transcript", entries: entries.slice(0, ENTRIES_MAX), at, key: "transcript" }];
}

/** What came of dialling a human; of a caller who was just handed on, Vapi does not know. */
function transferOf(
  { artifact, endedReason }: VapiCall,
  known: readonly CallEvent[],
  at: Date,
): NewCallEvent[] {
  if (!known.some(({ kind }) => kind === "transfer_dialed")) return [];
  const told = artifact?.transfers?.at(-1)?.status ?? "";
  const status = OUTCOMES[told] ?? UNREACHED.find(([words]) => words.test(endedReason ?? ""))?.[1];
  return status === undefined ? [] : [{ kind: "transfer_ended", status, at, key: "transfer-ended" }];
}

const OUTCOMES: Readonly<Record<string, TransferOutcome>> = {
  connected: "answered",
  completed: "answered",
  "no-answer": "no_answer",
  // Nobody was reached by it.
  voicemail: "no_answer",
  busy: "busy",
  failed: "failed",
  cancelled: "canceled",
};

/** What the end of the call says of it. */
const UNREACHED: readonly (readonly [words: RegExp, status: TransferOutcome])[] = [
  [/forwarding\.operator-busy/, "busy"],
  [/forwarding\.no-answer/, "no_answer"],
  [/transfer-failed/, "failed"],
];

/** How long the caller waited, as Vapi saw it; what of it was ours, we have measured. Turn by turn, in their order. */
function latenciesOf({ artifact }: VapiCall, known: readonly CallEvent[], at: Date): NewCallEvent[] {
  const latencies = artifact?.performanceMetrics?.turnLatencies ?? [];
  const ours = known.flatMap((event) => (event.kind === "turn_timed" ? [event] : []));
  return ours.flatMap((timed, index) => {
    const totalMs = latencies[index]?.turnLatency;
    if (totalMs == null || totalMs < timed.totalMs) return [];
    return [{ ...timed, totalMs, at, key: `latency:${timed.turnId}` }];
  });
}

function recordingOf({ artifact }: VapiCall, at: Date): NewCallEvent[] {
  const url = artifact?.recording?.mono?.combinedUrl ?? artifact?.recordingUrl;
  return url != null && url.length <= URL_MAX && URL.canParse(url)
    ? [{ kind: "recording", url, at, key: "recording" }]
    : [];
}

function summaryOf({ analysis }: VapiCall, at: Date): NewCallEvent[] {
  const text = (analysis?.summary ?? "").trim().slice(0, TEXT_MAX);
  return text === "" ? [] : [{ kind: "summary", text, at, key: "summary" }];
}

function costsOf({ costs, cost }: VapiCall, at: Date): NewCallEvent[] {
  const byItem = new Map<string, number>();
  for (const { type, cost: amount } of costs ?? []) {
    const item = ITEMS[type ?? ""] ?? "engine";
    if (amount != null) byItem.set(item, (byItem.get(item) ?? 0) + amount);
  }
  if (byItem.size === 0 && cost != null) byItem.set("engine", cost);
  return [...byItem].map(([item, amount]) => ({
    kind: "cost" as const,
    item,
    amount: Math.round(amount * 1e6) / 1e6,
    currency: "USD",
    at,
    key: `cost:${item}`,
  }));
}

import { z } from "zod";
import { ENDED_REASON_NAMES } from "./ended-reasons.ts";

const text = z.string().max(20_000);
const name = z.string().max(200);
const ms = z.number().min(0);

/** What can come of dialling a human. */
export const TRANSFER_OUTCOMES = ["answered", "busy", "no_answer", "failed", "canceled"] as const;
export type TransferOutcome = (typeof TRANSFER_OUTCOMES)[number];

/**
 * What can happen during a call. `turnId` ties what was asked, answered, called and measured together: one for each
 * time that the caller has spoken, and one for the greeting.
 */
const kinds = [
  z.object({ kind: z.literal("answered") }),
  z.object({ kind: z.literal("caller_said"), turnId: name, text, language: name.optional() }),
  /** All that was sent to be spoken. Of one turn there may be several; they are one entry of the transcript. */
  z.object({ kind: z.literal("agent_said"), turnId: name, text }),
  /** The caller spoke over the turn's answer: only this much of it was heard. */
  z.object({ kind: z.literal("interrupted"), turnId: name, heard: text, heardMs: ms.optional() }),
  /** No arguments and no results: they may be personal data, and the ledger of tool calls keeps none either. */
  z.object({ kind: z.literal("tool_started"), turnId: name, toolCallId: name, name }),
  z.object({
    kind: z.literal("tool_ended"),
    turnId: name,
    toolCallId: name,
    name,
    status: z.enum(["ok", "failed"]),
    code: name.optional(),
    ms,
  }),
  /** What both sides said, as a voice platform heard it. It takes the place of what we have put together ourselves. */
  z.object({
    kind: z.literal("transcript"),
    entries: z.array(
      z.object({
        role: z.enum(["user", "assistant"]),
        text,
        /** Milliseconds since 1970. */
        time: z.number(),
        interrupted: z.boolean(),
      }),
    ),
  }),
  z.object({ kind: z.literal("dtmf"), digit: z.string().max(32) }),
  /** From the caller's last word to the first that goes back; what of it was ours, and what a provider's. */
  z.object({
    kind: z.literal("turn_timed"),
    turnId: name,
    totalMs: ms,
    oursMs: ms,
    retrievalMs: ms.optional(),
    modelMs: ms.optional(),
  }),
  /** The caller was reminded that somebody listens. */
  z.object({ kind: z.literal("silence"), ms }),
  z.object({
    kind: z.literal("transfer_requested"),
    turnId: name.optional(),
    /** The number that is to be dialled, or `human`: somebody gets back to the caller. */
    to: name,
    reason: text.optional(),
    /** The tag that was spoken by then. */
    language: name.optional(),
  }),
  /** The carrier was told to dial. */
  z.object({ kind: z.literal("transfer_dialed"), to: name }),
  /** `seconds`: how long the two were connected. */
  z.object({
    kind: z.literal("transfer_ended"),
    status: z.enum(TRANSFER_OUTCOMES),
    seconds: z.number().min(0).optional(),
  }),
  /** Something failed; the call may go on. */
  z.object({ kind: z.literal("failure"), source: name, message: text }),
  /** What a carrier or a voice platform reported, in its own words. */
  z.object({
    kind: z.literal("provider_status"),
    status: name,
    data: z.record(z.string(), z.unknown()).optional(),
  }),
  z.object({ kind: z.literal("recording"), url: z.url().max(2_000), seconds: z.number().min(0).optional() }),
  /** A summary that the voice platform has made; then we make none. */
  z.object({ kind: z.literal("summary"), text }),
  z.object({
    kind: z.literal("cost"),
    /** What is paid for: `carrier`, `model`, `voice`, `transcriber`, `engine`. A later one replaces an earlier. */
    item: name,
    amount: z.number().min(0),
    /** ISO 4217 */
    currency: z.string().regex(/^[A-Z]{3}$/),
  }),
  /** Written by `endCall` only. */
  z.object({ kind: z.literal("ended"), reason: z.enum(ENDED_REASON_NAMES), detail: text.optional() }),
] as const;

const CallEventData = z.discriminatedUnion("kind", kinds);

/** An event as it happened. */
export type CallEvent = z.output<typeof CallEventData> & {
  /** When it happened, by the clock of who saw it. */
  at: Date;
};

/** An event to be written. */
export type NewCallEvent = CallEvent & {
  /** Of what a provider reports: the same for every repetition of it, so that it is written once. */
  key?: string;
};

/** An event by the clock of whoever writes it down. */
export type LoggedEvent = NewCallEvent extends infer Event
  ? Event extends unknown
    ? Omit<Event, "at" | "key">
    : never
  : never;

/** What may still be told of a call when it is over: humans answer after it, and bills and recordings take their time. */
export const LATE_KINDS: readonly CallEvent["kind"][] = [
  "provider_status",
  "recording",
  "summary",
  "cost",
  "transfer_dialed",
  "transfer_ended",
];

/** As it lies in the table. */
export function toEventColumns({ at, key, kind, ...data }: NewCallEvent) {
  return { kind, at, data, key: key ?? null };
}

/** Written by {@link toEventColumns} only; one of a later version of this program is left out. */
export function fromEventRow(row: { kind: string; at: Date; data: unknown }): CallEvent | undefined {
  const parsed = CallEventData.safeParse({ ...Object(row.data), kind: row.kind });
  return parsed.success ? { ...parsed.data, at: row.at } : undefined;
}

import { z } from "zod";
import { booleanQuery, isoTime, nextCursor, originalSlug, PageQuery } from "../http/schemas.ts";
import { TRANSFER_OUTCOMES } from "./call-events.ts";
import { ENDED_REASON_NAMES } from "./ended-reasons.ts";

export const CALL_SORTS = ["-started_at", "started_at", "-duration", "duration"] as const;
/** Counted up to here; beyond, nobody reads the number. */
export const TOTAL_MAX = 10_000;

const ms = z.int().nullable();
const percentiles = { p50_ms: ms, p95_ms: ms, p99_ms: ms };

const TranscriptEntry = z.object({
  role: z.enum(["user", "assistant", "tool", "dtmf"]),
  text: z
    .string()
    .meta({ description: "What was heard of it; the keys that were pressed; empty for a tool." }),
  at_ms: z.int().meta({ description: "Since the call began to ring." }),
  interrupted: z.boolean().meta({ description: "The caller spoke over it; the rest was not heard." }),
  tool: z
    .object({
      name: z.string(),
      status: z.enum(["ok", "failed", "unfinished"]),
      code: z.string().nullable(),
      ms: z.int().nullable(),
    })
    .optional(),
});

const exampleTranscript = [
  { role: "user", text: "When do you deliver?", at_ms: 4_120, interrupted: false },
  { role: "assistant", text: "We deliver within two days.", at_ms: 4_870, interrupted: false },
];

export const CallLog = z
  .object({
    id: z.uuid(),
    workspace: originalSlug,
    organization_id: z.int(),
    direction: z.enum(["inbound", "outbound"]),
    status: z.enum(["ringing", "in_progress", "ended", "finalized"]).meta({
      description: "`ended`: transcript and duration are there. `finalized`: summary and usage as well.",
    }),
    from_number: z.string().nullable().meta({ description: "E.164; null: withheld." }),
    to_number: z.string().nullable(),
    number_id: z.int().nullable(),
    started_at: isoTime,
    ended_at: isoTime.nullable(),
    finalized_at: isoTime.nullable(),
    duration_seconds: z.int().nullable().meta({ description: "Since it was answered; null until it ends." }),
    ended_reason: z.enum(ENDED_REASON_NAMES).nullable().meta({ example: "caller_hung_up" }),
    ended_by: z.enum(["caller", "agent", "platform", "carrier", "provider"]).nullable().meta({
      description: "Whose doing it was.",
      example: "caller",
    }),
    remedy: z.string().nullable().meta({ description: "What to do about this end, in a sentence." }),
    transcript: z.array(TranscriptEntry).meta({ example: exampleTranscript }),
    summary: z.string().nullable(),
    recording_url: z.string().nullable().meta({ description: "At the carrier, where it made one." }),
    latency: z
      .object({
        turns: z.int(),
        ...percentiles,
        ours: z.object(percentiles),
        retrieval: z.object(percentiles),
      })
      .nullable()
      .meta({
        description:
          "From the caller's last word to the first that goes back, over all turns; `ours` without the providers, " +
          "`retrieval` what of it was the search for passages.",
      }),
    cost: z
      .object({
        amount: z.number().nullable(),
        currency: z.string().nullable(),
        items: z.array(z.object({ item: z.string(), amount: z.number(), currency: z.string() })),
      })
      .nullable()
      .meta({ description: "What providers billed; null while none did." }),
    transfer: z
      .object({
        reason: z
          .string()
          .nullable()
          .meta({ description: "`human`: one was asked for. `failure`: the model failed." }),
        to: z.string().nullable().meta({ description: "The number that was dialled." }),
        status: z.enum(["not_dialed", "dialed", ...TRANSFER_OUTCOMES]).meta({
          description:
            "`not_dialed`: somebody has to get back to the caller. `dialed`: what came of it was not reported (yet).",
        }),
        seconds: z.int().nullable().meta({ description: "How long caller and human were connected." }),
      })
      .nullable()
      .meta({
        description: "The human whom the caller was put through to; null: nobody was asked for.",
        example: null,
      }),
    provider: z.string().meta({ description: "Who brought the call.", example: "twilio" }),
    config_version: z.int().nullable().meta({ description: "Of the voice integration, as it ran." }),
    metadata: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "CallLog" });
export type CallLog = z.output<typeof CallLog>;

const wholeNumber = (max: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/, "is not a whole number")
    .transform(Number)
    .pipe(z.int().max(max));
const id = wholeNumber(2_147_483_647).pipe(z.int().min(1, "is not an id")).optional();
const seconds = wholeNumber(1_000_000).optional();
const time = z.iso
  .datetime({ offset: true, error: "is not a time in ISO 8601, such as 2026-05-25T12:00:00Z" })
  .transform((text) => new Date(text))
  .optional();

const filters = {
  number_id: id.meta({ description: "Calls on this number of ours.", example: 17 }),
  direction: z.enum(["inbound", "outbound"]).optional(),
  status: z.enum(["ringing", "in_progress", "ended", "finalized"]).optional(),
  ended_reason: z.enum(ENDED_REASON_NAMES).optional(),
  from: time.meta({
    description: "Calls that began at this time or later.",
    example: "2026-05-25T00:00:00Z",
  }),
  to: time.meta({ description: "Calls that began before this time.", example: "2026-05-26T00:00:00Z" }),
  min_duration: seconds.meta({ description: "Seconds; calls that have ended.", example: 60 }),
  max_duration: seconds.meta({ description: "Seconds; calls that have ended.", example: 600 }),
  caller: z
    .string()
    .regex(/^\+[1-9]\d{5,14}$/, "is not a phone number in E.164 form, such as +390612345678")
    .optional()
    .meta({ description: "The other side's number.", example: "+390612345678" }),
  has_tool_calls: booleanQuery.optional(),
  q: z.string().trim().min(1, "must not be empty").max(200).optional().meta({
    description: "Every one of these words was said; case and accents do not matter.",
    example: "refund",
  }),
  sort: z.enum(CALL_SORTS).default("-started_at").meta({
    description: "By duration: only calls that have ended.",
  }),
};

export const WorkspaceCallQuery = PageQuery.extend(filters);
export type WorkspaceCallQuery = z.output<typeof WorkspaceCallQuery>;

export const CallQuery = PageQuery.extend({
  organization_id: id.meta({ description: "Only this organization.", example: 1 }),
  workspace: originalSlug.optional().meta({
    description: "Only this workspace (its `originalSlug`).",
    example: "support",
  }),
  ...filters,
});
export type CallQuery = z.output<typeof CallQuery>;

export const CallPage = z
  .object({
    call_logs: z.array(CallLog),
    next_cursor: nextCursor,
    total: z.union([z.int(), z.literal(`${TOTAL_MAX}+`)]).meta({
      description: `How many the filters select; beyond ${TOTAL_MAX}, "${TOTAL_MAX}+".`,
      example: 1,
    }),
  })
  .meta({ id: "CallPage" });

export const CallResponse = z.object({ call_log: CallLog }).meta({ id: "CallResponse" });
export const CallParams = z.strictObject({ callId: z.uuid().transform((value) => value.toLowerCase()) });

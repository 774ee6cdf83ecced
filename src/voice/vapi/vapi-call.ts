import { z } from "zod";

/** What is not as it should be is as if it were not there: a message is not lost for one field of it. */
const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().catch(null);

const words = maybe(z.string());
const time = maybe(z.iso.datetime({ offset: true }));
const amount = maybe(z.number().min(0));
const number = maybe(z.looseObject({ number: words }));

/** What was said, in Vapi's words: `bot` is the assistant; times are milliseconds since 1970. */
const said = z.looseObject({
  role: z.string(),
  message: words,
  time: maybe(z.number()),
  endTime: maybe(z.number()),
});

const artifact = maybe(
  z.looseObject({
    messages: maybe(z.array(said)),
    transfers: maybe(z.array(z.looseObject({ status: words }))),
    recordingUrl: words,
    recording: maybe(z.looseObject({ mono: maybe(z.looseObject({ combinedUrl: words })) })),
    performanceMetrics: maybe(
      z.looseObject({ turnLatencies: maybe(z.array(z.looseObject({ turnLatency: amount }))) }),
    ),
  }),
);

/** What is told of a call by itself, or by a message about it. */
const told = {
  status: words,
  startedAt: time,
  endedAt: time,
  endedReason: words,
  phoneNumber: number,
  customer: number,
  artifact,
  analysis: maybe(z.looseObject({ summary: words })),
  /** In US dollars. */
  costs: maybe(z.array(z.looseObject({ type: words, cost: amount }))),
  cost: amount,
};

/** A call as Vapi shows it: in its messages, in requests for an answer, and when it is asked. */
export const VapiCall = z.looseObject({
  id: z.string().min(1).max(200),
  type: words,
  assistantId: words,
  ...told,
});
export type VapiCall = z.output<typeof VapiCall>;

const envelope = z.object({
  message: z.object({
    type: z.string().max(200),
    /** Milliseconds since 1970. */
    timestamp: maybe(z.number()),
    call: VapiCall,
    ...told,
  }),
});

/** A message with its call, into which all is put that the message says of it. */
export interface VapiMessage {
  type: string;
  at: Date | null;
  call: VapiCall;
}

/** `undefined`: it is not one, or is of no call. */
export function readVapiMessage(body: Buffer): VapiMessage | undefined {
  let sent: unknown;
  try {
    sent = JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
  const read = envelope.safeParse(sent);
  if (!read.success) return undefined;
  const { type, timestamp, call, ...of } = read.data.message;
  const named = Object.fromEntries(Object.entries(of).filter(([, value]) => value != null));
  return { type, at: timestamp == null ? null : timeOf(timestamp), call: { ...call, ...named } };
}

/** What is said first of a call that nobody has heard of. */
export interface CallFacts {
  direction: "inbound" | "outbound";
  /** E.164; null: withheld, or none. */
  from: string | null;
  to: string | null;
  startedAt: Date | null;
}

export function factsOf(call: VapiCall): CallFacts {
  const [customer, ours] = [phoneOf(call.customer?.number), phoneOf(call.phoneNumber?.number)];
  const isOutbound = call.type === "outboundPhoneCall";
  return {
    direction: isOutbound ? "outbound" : "inbound",
    from: isOutbound ? ours : customer,
    to: isOutbound ? customer : ours,
    startedAt: call.startedAt == null ? null : new Date(call.startedAt),
  };
}

function phoneOf(text: string | null | undefined): string | null {
  return text != null && /^\+\d{5,15}$/.test(text) ? text : null;
}

/** Times that no clock shows are none. */
function timeOf(ms: number): Date | null {
  return ms > 0 && ms < 8.64e15 ? new Date(ms) : null;
}

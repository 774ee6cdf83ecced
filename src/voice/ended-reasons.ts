/** Whose doing it was that a call ended. */
export type Fault = "caller" | "agent" | "platform" | "carrier" | "provider";

interface Reason {
  fault: Fault;
  /** What to do about it, in a sentence for who reads the call log. */
  remedy: string;
}

const NOTHING = "Nothing to do: this is how calls end.";

/** Every way in which a call can end. A closed list: programs switch on it. */
export const ENDED_REASONS = {
  caller_hung_up: { fault: "caller", remedy: NOTHING },
  caller_silent: {
    fault: "caller",
    remedy: "Nobody spoke. If callers did speak, look at the transcriber's language and model.",
  },
  caller_gave_up: {
    fault: "caller",
    remedy:
      "The caller hung up before the call was answered. If it rang for long, look at the carrier's log.",
  },
  no_answer: { fault: "caller", remedy: "Nobody picked up. Call again at another time." },
  line_busy: { fault: "caller", remedy: "The line was busy. Call again later." },
  voicemail: { fault: "caller", remedy: "A machine answered. Call again at another time." },
  goodbye: { fault: "agent", remedy: NOTHING },
  transferred: {
    fault: "agent",
    remedy:
      "A human goes on. Where `transfer` says that nobody was dialled, get back to the caller; handoff_number has the next one put through.",
  },
  max_duration: {
    fault: "agent",
    remedy:
      "The call reached the longest time a call may take. Read its transcript to see why it took so long.",
  },
  refused: {
    fault: "platform",
    remedy:
      "The number called has no voice integration that may answer. Link it to one, or resume the account.",
  },
  transfer_failed: {
    fault: "carrier",
    remedy:
      "The person whom the call was handed to could not be reached. Get back to the caller, and check handoff_number.",
  },
  never_connected: {
    fault: "carrier",
    remedy:
      "The carrier rang, but never opened its connection to us. Check PUBLIC_URL and the reverse proxy's WebSockets.",
  },
  connection_lost: {
    fault: "carrier",
    remedy:
      "The carrier's connection broke during the call. Look at the carrier's status page and its call log.",
  },
  carrier_rejected: {
    fault: "carrier",
    remedy:
      "The carrier refused the call. Its own reason is among the call's events; check balance and number.",
  },
  carrier_failed: {
    fault: "carrier",
    remedy: "The carrier reported an error. Its own code is among the call's events.",
  },
  model_failed: {
    fault: "provider",
    remedy: "The language model failed more than once. Check its key and quota, or configure a second one.",
  },
  voice_failed: {
    fault: "provider",
    remedy: "The voice failed. Add fallback voices, or check the provider's status page.",
  },
  transcriber_failed: {
    fault: "provider",
    remedy: "The transcriber failed. Add fallback transcribers, or check the provider's status page.",
  },
  engine_failed: {
    fault: "provider",
    remedy: "The voice platform reported an error. Its own reason is among the call's events.",
  },
  server_stopped: {
    fault: "platform",
    remedy:
      "The server was stopped during the call. Restart it when few people call, or run several processes.",
  },
  process_lost: {
    fault: "platform",
    remedy:
      "The process that had the call died. The transcript goes as far as it was written; look at its log.",
  },
  internal_error: {
    fault: "platform",
    remedy: "A fault of ours. The server's log has it under the call's id; please report it.",
  },
  erased: { fault: "platform", remedy: "What the call belonged to was deleted while it went on." },
} as const satisfies Record<string, Reason>;

export type EndedReason = keyof typeof ENDED_REASONS;

/** For schemas. */
export const ENDED_REASON_NAMES = namesOf(ENDED_REASONS);

/** Safe: these are the keys of a constant, and it has one at least. */
function namesOf<Table extends object>(table: Table): [keyof Table & string, ...(keyof Table & string)[]] {
  return Object.keys(table) as [keyof Table & string, ...(keyof Table & string)[]];
}

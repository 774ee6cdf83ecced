import type { App } from "../../context.ts";
import { appendCallEvents } from "../append-call-events.ts";
import type { LoggedEvent, NewCallEvent } from "../call-events.ts";
import type { CallOwner } from "../call-row.ts";
import { endCall } from "../end-call.ts";
import type { EndedReason } from "../ended-reasons.ts";

/** What happens within this time is written together: a call must not wait for its log, nor the database for it. */
const FLUSH_MS = 500;
const RETRY_MS = 1_000;
/** Of one event. */
const TEXT_CHARS_MAX = 10_000;
const END_ATTEMPTS = 5;

export interface CallLog {
  /** Written soon, in this order. */
  add(event: LoggedEvent): void;
  /** Writes what is left, and the end. Resolves once it is written, or given up and logged: then the sweep ends the call. */
  end(reason: EndedReason): Promise<void>;
}

/**
 * The log of one line, written behind the talk. What could not be written is tried again; each event has a name of its
 * own, so that none is there twice.
 *
 * @param line tells the lines of a call apart
 * @param onOver the call has been ended from elsewhere
 */
export function openCallLog(
  app: App,
  { owner, callId, line }: { owner: CallOwner; callId: string; line: number },
  onOver: () => void,
): CallLog {
  let waiting: NewCallEvent[] = [];
  /** How many of those waiting may be in the table already. */
  let tried = 0;
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    tried = 0;
    try {
      const { isLive } = await appendCallEvents(app, owner, callId, batch, "background");
      if (!isLive) onOver();
    } catch (error) {
      waiting = [...batch, ...waiting];
      tried = batch.length;
      app.log.warn({ error, callId }, "a call's events could not be written; they are tried again");
      flushIn(RETRY_MS);
    }
  }

  function flushIn(ms: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      writing = writing.then(write);
    }, ms);
  }

  async function end(reason: EndedReason, at: Date): Promise<boolean> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write);
    await writing;
    if (waiting.length > 0) return false;
    try {
      await endCall(app, owner, callId, { reason, at });
      return true;
    } catch (error) {
      app.log.warn({ error, callId }, "a call's end could not be written; it is tried again");
      return false;
    }
  }

  /** Clauses of one answer are one event as long as nobody has tried to write it. */
  function extend(event: LoggedEvent): boolean {
    const last = waiting.length > tried ? waiting.at(-1) : undefined;
    if (last?.kind !== "agent_said" || event.kind !== "agent_said" || last.turnId !== event.turnId)
      return false;
    if (last.text.length + event.text.length > TEXT_CHARS_MAX) return false;
    last.text += event.text;
    return true;
  }

  return {
    add(event) {
      if (extend(event)) return;
      count += 1;
      waiting.push({ ...event, at: app.now(), key: `line:${line}.${count}` });
      flushIn(FLUSH_MS);
    },
    async end(reason) {
      const at = app.now();
      for (let attempt = 1; attempt <= END_ATTEMPTS; attempt += 1) {
        if (await end(reason, at)) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
      clearTimeout(timer);
      app.log.error({ callId, reason }, "a call's end was given up; the sweep will end it");
    },
  };
}

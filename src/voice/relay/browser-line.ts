import type { LoggedEvent } from "../call-events.ts";
import { ENDED_REASONS } from "../ended-reasons.ts";
import type { BrowserFrame, ShownEvent } from "./browser-frames.ts";
import type { CallPlan } from "./call-plan.ts";
import type { CallLine } from "./call-session.ts";

/** A line to somebody who tries an assistant: it speaks the greeting, which carriers do themselves. */
export function browserLine(
  { callId, settings }: CallPlan,
  send: (frame: BrowserFrame) => void,
  close: () => void,
): CallLine {
  send({ type: "answered", call_id: callId });
  const { greeting } = settings;
  if (greeting !== "") send({ type: "text", token: greeting, last: true, turn: null });
  return {
    send: (command, turn) => send({ ...command, turn }),
    close,
    note(event) {
      const shown = shownOf(event);
      if (shown !== undefined) send({ type: "event", event: shown });
    },
  };
}

function shownOf(event: LoggedEvent): ShownEvent | undefined {
  switch (event.kind) {
    case "tool_started":
    case "tool_ended":
    case "turn_timed":
    case "silence":
    case "transfer_requested":
    case "failure":
      return event;
    case "ended": {
      const { fault, remedy } = ENDED_REASONS[event.reason];
      return { kind: "ended", reason: event.reason, by: fault, remedy };
    }
    default:
      return undefined;
  }
}

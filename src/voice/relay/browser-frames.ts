import type { LoggedEvent } from "../call-events.ts";
import type { EndedReason, Fault } from "../ended-reasons.ts";
import type { RelayCommand } from "./messages.ts";

/** What a browser is sent: what a carrier is, and what only the call log knows. */
export type BrowserFrame =
  /** The first. */
  | { type: "answered"; call_id: string }
  | (RelayCommand & { turn: number | null })
  | { type: "event"; event: ShownEvent };

/** `ended` comes with whose doing it was and what to do about it; times are in milliseconds. */
export type ShownEvent =
  | Extract<
      LoggedEvent,
      { kind: "tool_started" | "tool_ended" | "turn_timed" | "silence" | "transfer_requested" | "failure" }
    >
  | { kind: "ended"; reason: EndedReason; by: Fault; remedy: string };

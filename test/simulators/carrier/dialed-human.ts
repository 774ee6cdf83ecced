import { randomBytes } from "node:crypto";
import type { Instruction } from "./twiml-interpreter.ts";

export type Dialed = Extract<Instruction, { verb: "dial" }>;

/**
 * How somebody behaves whose telephone rings; `caller-leaves`: the caller hangs up while it does, `is-not-reported`: the
 * carrier says nothing of what came of it.
 */
export type HumanBehaviour =
  | "answers"
  | "is-busy"
  | "does-not-answer"
  | "cannot-be-dialled"
  | "caller-leaves"
  | "is-not-reported";

/** How long one who answers talks. */
export const TALK_SECONDS = 42;

const STATUS: Readonly<Record<Exclude<HumanBehaviour, "is-not-reported">, string>> = {
  answers: "completed",
  "is-busy": "busy",
  "does-not-answer": "no-answer",
  "cannot-be-dialled": "failed",
  "caller-leaves": "canceled",
};

/**
 * What the carrier reports of a number that it has dialled, beside the fields of the call; null: nothing.
 *
 * @throws Error as error 13214 would: a carrier shows numbers of the call and no others
 */
export function dial(
  { callerId }: Dialed,
  behaviour: HumanBehaviour,
  { From, To }: Record<string, string>,
): Record<string, string> | null {
  if (callerId !== To && callerId !== From) throw new Error(`${callerId} is no caller id of this call`);
  if (behaviour === "is-not-reported") return null;
  const isAnswered = behaviour === "answers";
  return {
    DialCallSid: `CA${randomBytes(16).toString("hex")}`,
    DialCallStatus: STATUS[behaviour],
    DialBridged: String(isAnswered),
    ...(isAnswered ? { DialCallDuration: String(TALK_SECONDS) } : {}),
  };
}

import { randomBytes } from "node:crypto";
import type { Instruction } from "./twiml-interpreter.ts";

export type Dialed = Extract<Instruction, { verb: "dial" }>;

/** How somebody behaves whose telephone rings; `caller-leaves`: the caller hangs up while it does. */
export type HumanBehaviour =
  | "answers"
  | "is-busy"
  | "does-not-answer"
  | "cannot-be-dialled"
  | "caller-leaves";

/** How long one who answers talks. */
export const TALK_SECONDS = 42;

const STATUS: Readonly<Record<HumanBehaviour, string>> = {
  answers: "completed",
  "is-busy": "busy",
  "does-not-answer": "no-answer",
  "cannot-be-dialled": "failed",
  "caller-leaves": "canceled",
};

/**
 * What the carrier reports of a number that it has dialled, beside the fields of the call.
 *
 * @throws Error as error 13214 would: a carrier shows numbers of the call and no others
 */
export function dial(
  { callerId }: Dialed,
  behaviour: HumanBehaviour,
  { From, To }: Record<string, string>,
): Record<string, string> {
  if (callerId !== To && callerId !== From) throw new Error(`${callerId} is no caller id of this call`);
  const isAnswered = behaviour === "answers";
  return {
    DialCallSid: `CA${randomBytes(16).toString("hex")}`,
    DialCallStatus: STATUS[behaviour],
    DialBridged: String(isAnswered),
    ...(isAnswered ? { DialCallDuration: String(TALK_SECONDS) } : {}),
  };
}

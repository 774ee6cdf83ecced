import type { CarrierError, NumberPapers } from "../ports/carrier.ts";
import { wordsOf } from "./give-order.ts";
import type { RequestRow } from "./move-request.ts";
import type { RequestMove } from "./request-states.ts";

/** What a step came to: there is more to do, the carrier is asked again after a time, or the request moves on. */
export type Outcome = "again" | { askAgainMs: number; said: string } | RequestMove;

type Wanted = Pick<RequestRow, "country" | "number_type" | "area_code">;

const FAILURE_WAIT_MS = 60_000;

/** What a refusal or failure of the carrier means for a request. `papers`: what the regulation wants, if it does. */
export function outcomeOf(error: CarrierError, wanted: Wanted, papers: readonly NumberPapers[]): Outcome {
  const said = wordsOf(error);
  if (error.kind === "papers") return needsPapers(wanted, said, papers);
  if (error.kind === "not_offered")
    return failed(`The carrier sells no ${wanted.number_type} numbers in ${wanted.country}.`, said);
  if (error.retryable || error.code === "bad_answer")
    return { askAgainMs: Math.max(FAILURE_WAIT_MS, error.retryAfterMs ?? 0), said };
  return failed("The carrier refused; whoever runs this installation must look at it.", said);
}

export function rejectedPapers(status: string): RequestMove {
  return {
    to: "action_required",
    by: "carrier",
    reason: "The carrier rejected the papers that say who uses the numbers.",
    providerStatus: status,
    nextStep:
      "Send other papers, and answer with where they are; whoever runs this installation knows what is wrong.",
  };
}

export function needsAddress({ country, number_type }: Wanted): RequestMove {
  return {
    to: "action_required",
    by: "carrier",
    reason: `${number_type} numbers of ${country} are sold only with the address of who uses them.`,
    nextStep: "Answer with the full address of who will use the numbers.",
  };
}

export function noneLeft({ number_type, country, area_code }: Wanted): RequestMove {
  const where = area_code === null ? country : `${country} with the area code ${area_code}`;
  return failed(`No ${number_type} numbers in ${where} are for sale now.`);
}

export function failed(reason: string, providerStatus?: string): RequestMove {
  return { to: "failed", by: "carrier", reason, ...(providerStatus === undefined ? {} : { providerStatus }) };
}

function needsPapers(
  { country, number_type }: Wanted,
  said: string,
  papers: readonly NumberPapers[],
): RequestMove {
  const lines = papers.map(({ regulation, documents }) => `${regulation}: ${documents.join("; ")}`);
  return {
    to: "action_required",
    by: "carrier",
    reason: `${country} wants to know who uses a ${number_type} number, and where.`,
    providerStatus: said,
    nextStep:
      lines.length === 0
        ? "Send proof of who uses the numbers and of their address, and answer with where it is."
        : `Send what one of these lines names, and answer with where it is. ${lines.join(" | ")}`,
  };
}

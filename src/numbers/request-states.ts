import { Problem } from "../http/problem.ts";

/** Every status that a request for numbers can have. */
export const REQUEST_STATUSES = [
  "pending",
  "in_review",
  "action_required",
  "approved",
  "provisioning",
  "fulfilled",
  "rejected",
  "cancelled",
  "failed",
] as const;
export type RequestStatus = (typeof REQUEST_STATUSES)[number];

/** Who brought it about: the partner by its key, whoever runs the installation, or the carrier's answers. */
export type MovedBy = "partner" | "superadmin" | "carrier";

/** From each status, where a request can go. What is not here is impossible. */
export const MOVES: Readonly<Record<RequestStatus, readonly RequestStatus[]>> = {
  pending: ["in_review", "approved", "rejected", "cancelled"],
  in_review: ["action_required", "approved", "rejected", "cancelled"],
  action_required: ["in_review", "cancelled"],
  approved: ["provisioning", "cancelled"],
  provisioning: ["fulfilled", "action_required", "failed"],
  failed: ["provisioning", "cancelled"],
  fulfilled: [],
  rejected: [],
  cancelled: [],
};

/** A request as far as its life is concerned. */
export interface RequestState {
  status: RequestStatus;
  /** Why it is in that status, for the partner. */
  reason: string | null;
  /** Word for word what the carrier said last; it outlives moves, until the carrier says something else. */
  providerStatus: string | null;
  /** What the partner must do for it to go on. */
  nextStep: string | null;
}

/** A step on its way. */
export interface RequestMove {
  to: RequestStatus;
  by: MovedBy;
  reason?: string | null | undefined;
  providerStatus?: string | undefined;
  /** Only where the partner must do something: on the way to `action_required`. */
  nextStep?: string | undefined;
}

/** What happened, as the history keeps it. */
export interface PastMove {
  status: RequestStatus;
  by: MovedBy;
  reason: string | null;
}

const DEFAULT_STEP =
  "Send what is asked for, or say what stands in the way, with the operation that answers.";

/**
 * The state after a move, and the line of the history that it leaves.
 *
 * @throws {@link Problem} `conflict` for a move that cannot be; it names those that can
 */
export function moveState(state: RequestState, move: RequestMove): { state: RequestState; past: PastMove } {
  if (!mayMove(state.status, move)) throw impossible(state.status, move);
  const reason = move.reason ?? null;
  return {
    state: {
      status: move.to,
      reason,
      providerStatus: move.providerStatus ?? state.providerStatus,
      nextStep: move.to === "action_required" ? (move.nextStep ?? DEFAULT_STEP) : null,
    },
    past: { status: move.to, by: move.by, reason },
  };
}

/** A partner cancels, and answers what was asked of it; a carrier moves only what it provides. */
export function mayMove(from: RequestStatus, { to, by }: Pick<RequestMove, "to" | "by">): boolean {
  if (!MOVES[from].includes(to)) return false;
  if (by === "partner") return to === "cancelled" || (from === "action_required" && to === "in_review");
  if (by === "carrier") return from === "provisioning";
  return true;
}

function impossible(from: RequestStatus, { to, by }: RequestMove): Problem {
  const allowed = MOVES[from].filter((other) => mayMove(from, { to: other, by }));
  const where =
    allowed.length === 0
      ? "its status does not change any more"
      : `from there it can only become ${allowed.join(" or ")}`;
  return new Problem("conflict", `A request that is ${from} cannot become ${to}: ${where}.`);
}

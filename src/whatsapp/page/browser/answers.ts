import type { OutcomeData, Panel, ScriptTexts } from "../page-data.ts";

/** What an answer of the server makes of the page. */
export interface View {
  panel: Panel;
  /** On `problem` and `waiting`: what is said. */
  text?: keyof ScriptTexts;
  /** On `problem`: what the button does; null: nothing helps here. */
  action?: "start" | "resume" | null;
  /** It is tried again by itself after this many seconds; null: only by hand, or never. */
  againSeconds: number | null;
}

/** What to say to the server's error codes. */
const SAID: Readonly<Record<string, keyof ScriptTexts>> = {
  permission: "noAccess",
  asset_not_accessible: "noAccess",
  number_not_accessible: "noAccess",
  number_in_use: "numberInUse",
  already_connected: "alreadyConnected",
  number_mismatch: "alreadyConnected",
  number_elsewhere: "notEligible",
  unexpected_number: "wrongNumber",
  no_number: "numberMissing",
  number_locked: "locked",
  blocked: "blocked",
  payment: "connectedPayment",
  meta_unavailable: "metaDown",
  meta_busy: "metaDown",
};

const WAIT_SECONDS = 30;
/** For what takes longer, nobody sits before the page. */
const PATIENCE_SECONDS = 600;

export function viewOf(outcome: OutcomeData): View {
  const said = SAID[outcome.error?.code ?? ""];
  const still = { againSeconds: null };
  switch (outcome.needs) {
    case null:
      if (outcome.success) return { panel: "connected", ...still };
      return {
        panel: "problem",
        text: said ?? "unexpected",
        action: outcome.retryable ? "resume" : null,
        ...still,
      };
    case "new_code":
      return { panel: "problem", text: said ?? "newCode", action: "start", ...still };
    case "number":
      return { panel: "problem", text: said ?? "numberMissing", action: "start", ...still };
    case "choose_number":
      return { panel: "choose", ...still };
    case "pin":
      return { panel: "pin", ...still };
    case "verification":
      return { panel: "verify", ...still };
    case "wait": {
      if (isReview(outcome)) return { panel: "waiting", text: "waitingText", ...still };
      const seconds = Math.max(outcome.retry_after_seconds ?? WAIT_SECONDS, 5);
      return {
        panel: "waiting",
        text: said ?? "waitingOtherText",
        againSeconds: seconds > PATIENCE_SECONDS ? null : seconds,
      };
    }
  }
}

/** Meta looks at the display name, which takes hours; nothing is left to do on the page. */
export function isReview({ success, status }: OutcomeData): boolean {
  return success && status === "pending_name_review";
}

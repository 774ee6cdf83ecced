import type { MessengerError, MessengerErrorKind } from "../ports/messenger.ts";
import { type ConnectionRow, lastErrorOf } from "./connection.ts";
import type { OnboardAnswer, OnboardNeed, OnboardStep } from "./onboard.schemas.ts";
import type { ConnectionStatus } from "./whatsapp.tables.ts";

/** Why an onboarding stops before its end, and how it goes on. */
export interface Stop {
  step: OnboardStep;
  /** In a word a program can switch on. */
  code: string;
  message: string;
  needs: OnboardNeed | null;
  /** What the connection becomes; without it, it stays what it was. */
  status?: ConnectionStatus;
  /** It is not the page's turn, or something new is asked for: no failure. */
  isExpected?: boolean;
  retryable?: boolean;
  retryAfterSeconds?: number;
  numbers?: OnboardAnswer["numbers"];
  /** What Meta said. */
  cause?: MessengerError;
}

/** Thrown by a step that cannot go on. */
export class OnboardStop extends Error {
  override name = "OnboardStop";
  readonly facts: Stop;
  constructor(facts: Stop) {
    super(facts.message, { cause: facts.cause });
    this.facts = facts;
  }
}

export function answerStop(stop: Stop, connection: ConnectionRow | undefined): OnboardAnswer {
  return {
    success: stop.isExpected ?? false,
    status: connection?.status ?? "connecting",
    step: stop.step,
    needs: stop.needs,
    retryable: stop.retryable ?? stop.needs !== null,
    ...(stop.retryAfterSeconds === undefined ? {} : { retry_after_seconds: stop.retryAfterSeconds }),
    ...(stop.numbers === undefined ? {} : { numbers: stop.numbers }),
    ...namesOf(connection),
    error: { code: stop.code, message: stop.message, trace_id: stop.cause?.traceId ?? null },
  };
}

export function answerDone(connection: ConnectionRow): OnboardAnswer {
  const waits = connection.status === "pending_name_review";
  return {
    success: true,
    status: connection.status,
    step: "finished",
    needs: waits ? "wait" : null,
    retryable: false,
    ...namesOf(connection),
    error: null,
  };
}

function namesOf(connection: ConnectionRow | undefined) {
  return {
    connection_id: connection?.id ?? null,
    display_phone_number: connection?.display_phone_number ?? null,
    verified_name: connection?.verified_name ?? null,
  };
}

const CONFLICTS = ["in_progress", "number_in_use"];

/** The one rule of which status goes with what: also for what is answered a second time. */
export function httpStatusOf({ success, needs, error }: OnboardAnswer): number {
  if (success) return needs === "wait" ? 202 : 200;
  return error !== null && CONFLICTS.includes(error.code) ? 409 : 422;
}

/** What Meta's refusal means at any step that has nothing of its own to say of it. */
export function stopOf(step: OnboardStep, cause: MessengerError): Stop {
  const known = STOPS[cause.kind];
  if (known === undefined) {
    const { code, message } = lastErrorOf(cause, new Date(0));
    return { step, cause, code, message, needs: null, retryable: false };
  }
  if (known.retryAfterSeconds === undefined) return { ...known, step, cause };
  return { ...known, step, cause, retryAfterSeconds: secondsOf(cause, known.retryAfterSeconds) };
}

type KnownStop = Omit<Stop, "step" | "cause">;

const BUSY: KnownStop = {
  code: "meta_busy",
  message: "Meta asks us to slow down. It is tried again in a few minutes.",
  needs: "wait",
  isExpected: true,
  retryAfterSeconds: 120,
};

const SIGNED_OUT: KnownStop = {
  code: "token_invalid",
  message: "Meta no longer accepts this sign-in. Sign in once more.",
  needs: "new_code",
};

const STOPS: Partial<Record<MessengerErrorKind, KnownStop>> = {
  transient: {
    code: "meta_unavailable",
    message: "Meta does not answer just now. It is tried again in a moment.",
    needs: "wait",
    isExpected: true,
    retryAfterSeconds: 5,
  },
  throttled: BUSY,
  wait: BUSY,
  reauth: SIGNED_OUT,
  code_used: SIGNED_OUT,
  permission: {
    code: "permission",
    message: "A permission was not granted. Sign in once more and leave everything ticked.",
    needs: "new_code",
  },
  asset: {
    code: "asset_not_accessible",
    message: "The WhatsApp account was not shared. Sign in once more and choose it.",
    needs: "new_code",
  },
  foreign: {
    code: "number_elsewhere",
    message: "The number or its account belongs to another provider, or may not be connected.",
    needs: "number",
  },
};

export function secondsOf(cause: MessengerError, otherwise: number): number {
  return cause.retryAfterMs === null ? otherwise : Math.max(1, Math.ceil(cause.retryAfterMs / 1_000));
}

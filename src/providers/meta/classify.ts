import type { MessengerErrorKind } from "../../ports/messenger.ts";
import type { ProviderErrorCode } from "../../ports/provider-error.ts";

/** What Graph's error envelope says. */
export interface GraphErrorFacts {
  /** null: the answer was no envelope of Graph's. */
  code: number | null;
  subcode: number | null;
  message: string;
  /** `error_data.details` */
  details: string;
  isTransient: boolean;
  /** HTTP's; used only where there is no code, since Meta answers the same error with several. */
  status: number;
}

export interface Verdict {
  kind: MessengerErrorKind;
  code: ProviderErrorCode;
  retryable: boolean;
  retryAfterMs: number | null;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** One kind for each code that means the same whatever else is said (Meta's table of error codes). */
const KINDS: Readonly<Record<number, MessengerErrorKind>> = {
  0: "reauth",
  102: "reauth",
  190: "reauth",
  3: "permission",
  10: "permission",
  131005: "permission",
  33: "asset",
  803: "asset",
  2200: "callback",
  133000: "registering",
  133005: "pin_mismatch",
  133006: "unverified",
  133008: "wait",
  133009: "wait",
  133010: "not_registered",
  133015: "wait",
  133016: "locked",
  1: "transient",
  2: "transient",
  131000: "transient",
  131016: "transient",
  131057: "transient",
  133004: "transient",
  4: "throttled",
  17: "throttled",
  32: "throttled",
  613: "throttled",
  80007: "throttled",
  130429: "throttled",
  131056: "throttled",
  131031: "blocked",
  368: "blocked",
  130497: "blocked",
  131045: "blocked",
  131042: "payment",
  131047: "window",
  131021: "undeliverable",
  131026: "undeliverable",
  131030: "undeliverable",
  131048: "spam",
  131049: "spam",
  131050: "spam",
  130472: "spam",
  131052: "media",
  131053: "media",
  2388001: "name_review",
  2388012: "foreign",
  2388091: "foreign",
  2388093: "foreign",
  2388103: "foreign",
};

/** The subcodes of 100, Meta's word for anything it does not like, that say what it was. */
const SUBCODES: Readonly<Record<number, MessengerErrorKind>> = {
  33: "asset",
  36007: "code_used",
  36009: "code_used",
  2207051: "not_registered",
  2388001: "name_review",
  2388012: "foreign",
  2388091: "foreign",
  2388093: "foreign",
  2388103: "foreign",
};

/** For when no subcode comes: Meta has announced that it leaves them out. */
const WORDS: readonly (readonly [RegExp, MessengerErrorKind])[] = [
  [/authorization code has (expired|been used)|invalid verification code/i, "code_used"],
  [/cannot create certificate/i, "name_review"],
  [/before override/i, "callback"],
  [/not available for .*\bSMB\b/i, "coexistence"],
  [/object with id .* does not exist/i, "asset"],
];

/** How long to leave it, where Meta's text does not say: its own advice, or its own period. */
const WAITS_MS: Readonly<Record<number, number>> = {
  4: 5 * MINUTE_MS,
  17: 5 * MINUTE_MS,
  80007: 5 * MINUTE_MS,
  130429: SECOND_MS,
  131056: 4 * SECOND_MS,
  131057: MINUTE_MS,
  133008: 10 * MINUTE_MS,
  133009: MINUTE_MS,
  133015: 5 * MINUTE_MS,
  133016: 72 * HOUR_MS,
};

/** The same call, unchanged, may succeed later without anybody doing anything. */
const RETRYABLE: ReadonlySet<MessengerErrorKind> = new Set(["transient", "throttled", "wait", "name_review"]);

const CODES: Partial<Record<MessengerErrorKind, ProviderErrorCode>> = {
  reauth: "unauthorized",
  permission: "unauthorized",
  asset: "not_found",
  payment: "quota_exhausted",
  throttled: "rate_limited",
  wait: "rate_limited",
  locked: "rate_limited",
  transient: "unavailable",
};

const OUR_SECRET: Verdict = { kind: "rejected", code: "unauthorized", retryable: false, retryAfterMs: null };

/** What an error of Graph's means, and what is to be done about it. */
export function classify(facts: GraphErrorFacts): Verdict {
  // The app's own secret is wrong, which Meta reports with its code for "try again".
  if (facts.code === 1 && /client secret/i.test(facts.message)) return OUR_SECRET;
  const kind = kindOf(facts);
  return {
    kind,
    code: CODES[kind] ?? "rejected",
    retryable: RETRYABLE.has(kind) || facts.code === 131053,
    retryAfterMs: waitOf(facts),
  };
}

function kindOf(facts: GraphErrorFacts): MessengerErrorKind {
  const { code, subcode, isTransient } = facts;
  if (code === null) return kindOfStatus(facts.status);
  if (code >= 200 && code <= 299) return "permission";
  const known = KINDS[code] ?? (subcode === null ? undefined : SUBCODES[subcode]);
  if (known !== undefined) return known;
  const said =
    code === 100 ? WORDS.find(([pattern]) => pattern.test(`${facts.message} ${facts.details}`)) : undefined;
  return said?.[1] ?? (isTransient ? "transient" : "rejected");
}

function kindOfStatus(status: number): MessengerErrorKind {
  if (status === 429) return "throttled";
  return status >= 500 ? "transient" : "rejected";
}

/** "Please wait 10 minutes", in the details; else what is known of the code. */
function waitOf({ code, details }: GraphErrorFacts): number | null {
  const [, amount, unit = ""] = /(\d+)\s*(second|minute|hour)/i.exec(details) ?? [];
  const known = code === null ? null : (WAITS_MS[code] ?? null);
  // "More than 24 hours have passed" says nothing of waiting.
  if (amount === undefined || known === null) return known;
  const unitMs = { second: SECOND_MS, minute: MINUTE_MS, hour: HOUR_MS }[unit.toLowerCase()] ?? SECOND_MS;
  return Number(amount) * unitMs;
}

import type { Language } from "./language.ts";
import type { Texts } from "./texts/en.ts";

/** What a panel's name is in the page; one of them is seen at a time. */
export const PANELS = [
  "ready",
  "signup",
  "elsewhere",
  "working",
  "choose",
  "pin",
  "verify",
  "waiting",
  "connected",
  "problem",
  "gone",
] as const;
export type Panel = (typeof PANELS)[number];

/** Ends of a link, each with a title and a text of its own. */
export type Dead = "used" | "expired" | "revoked" | "unknown" | "misplaced" | "unavailable";

/** Texts that only the script shows, by their names. */
export const SCRIPT_TEXTS = [
  "pinWrong",
  "sixDigits",
  "verifyWrong",
  "connectedPayment",
  "blocked",
  "waitingTitle",
  "waitingText",
  "waitingOtherTitle",
  "waitingOtherText",
  "connectedText",
  "connectedPlain",
  "reference",
  "cancelled",
  "popupDead",
  "sdkMissing",
  "noCode",
  "metaReported",
  "offline",
  "unexpected",
  "newCode",
  "numberMissing",
  "numberInUse",
  "alreadyConnected",
  "wrongNumber",
  "noAccess",
  "notEligible",
  "locked",
  "metaDown",
  "busy",
  "noStorage",
  "foreignReturn",
  "usedTitle",
  "usedText",
  "expiredTitle",
  "expiredText",
  "revokedTitle",
  "revokedText",
  "unknownTitle",
  "unknownText",
  "misplacedTitle",
  "misplacedText",
  "unavailableTitle",
  "unavailableText",
  "validUntil",
  "verifyText",
  "onlyIfYours",
] as const satisfies readonly (keyof Texts)[];

export type ScriptTexts = Pick<Texts, (typeof SCRIPT_TEXTS)[number]>;

/** What Meta's sign-up is opened with. */
export interface MetaData {
  appId: string;
  configId: string;
  /** `v25.0` */
  version: string;
  extras: Readonly<Record<string, unknown>>;
  /** Where the dialog of a full page is; the popup knows by itself. */
  dialogOrigin: string;
  /** Whose messages count; null: facebook.com and all that is under it, by https. */
  messageOrigins: readonly string[] | null;
}

/** What the page's script is given with the page. No secret but the pass. */
export interface PageData {
  /** `connect`: the page of a link; `return`: where Meta's dialog leads back to. */
  kind: "connect" | "return";
  language: Language;
  texts: ScriptTexts;
  /** Which panel is seen before the script runs; null: the script decides. */
  panel: Panel | null;
  /** Set where the link opens nothing (any more). */
  dead: Dead | null;
  /** Absent on a page that opens nothing. */
  meta: MetaData | null;
  /** The workspace's slug in hex; empty on the page that Meta leads back to, which has it from the tab. */
  slug: string;
  account: string;
  workspace: string;
  /** What the parent page knows the workspace by. */
  originalSlug: string;
  expectedPhone: string | null;
  /** The one page that is told anything; null: none. */
  parentOrigin: string | null;
  /** It may stand in a tab of its own. */
  topLevel: boolean;
  /** Lets the same link be opened in a tab of its own for some minutes. */
  pass: string | null;
  /** How long a sign-up may be begun; null: no matter. */
  expiresInMs: number | null;
  /** What was answered before: the sign-up goes on from there. */
  outcome: OutcomeData | null;
}

/** The onboarding's answer, as far as the page reads it. */
export interface OutcomeData {
  success: boolean;
  status: string;
  needs: "new_code" | "choose_number" | "pin" | "verification" | "number" | "wait" | null;
  retryable: boolean;
  retry_after_seconds?: number | undefined;
  numbers?:
    | readonly { phone_number_id: string; display_phone_number: string; verified_name: string | null }[]
    | undefined;
  connection_id: string | null;
  display_phone_number: string | null;
  verified_name: string | null;
  error: { code: string; message: string; trace_id: string | null } | null;
}

/** What `connect-status` answers. */
export interface StatusData {
  success: true;
  state: "valid" | "used" | "expired" | "revoked";
  outcome: OutcomeData | null;
  pass: string | null;
}

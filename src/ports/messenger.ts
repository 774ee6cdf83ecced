import { ProviderError, type ProviderErrorFacts } from "./provider-error.ts";

/**
 * What Meta's error means for us, whatever HTTP status it came with.
 * - `reauth`: the token is no longer good; `permission`: it lacks a right
 * - `code_used`: an authorization code that expired or was used
 * - `asset`: the account or number is gone or was not shared; `foreign`: it belongs elsewhere or is not eligible
 * - `name_review`: the display name is still in review; `pin_mismatch`; `unverified`: the number needs a code by SMS
 * - `locked`: registered too often (72 h); `registering`: an earlier deregistration is not over
 * - `wait`: too many tries, or deleted a moment ago; `not_registered`: sending from a number that is not
 * - `callback`: our callback could not be verified, or must be subscribed plainly first
 * - `coexistence`: not for numbers that stay in the WhatsApp Business app
 * - `throttled`; `window`: more than 24 h since the person wrote; `undeliverable`; `spam`; `media`
 * - `blocked`: policy or certificate; `payment`: no card
 * - `transient`; `rejected`: all else that trying again does not mend
 */
export type MessengerErrorKind =
  | "reauth"
  | "permission"
  | "code_used"
  | "asset"
  | "foreign"
  | "name_review"
  | "pin_mismatch"
  | "unverified"
  | "locked"
  | "registering"
  | "wait"
  | "not_registered"
  | "callback"
  | "coexistence"
  | "throttled"
  | "window"
  | "undeliverable"
  | "spam"
  | "media"
  | "blocked"
  | "payment"
  | "transient"
  | "rejected";

/** Meta refused or failed. */
export class MessengerError extends ProviderError {
  readonly kind: MessengerErrorKind;
  /** Meta's `code` and `error_subcode`; null when none came. */
  readonly metaCode: number | null;
  readonly metaSubcode: number | null;
  /** What Meta's support asks for. */
  readonly traceId: string | null;
  /**
   * The request may have been carried out all the same: a time-out, or a connection that broke before the answer.
   */
  readonly isAmbiguous: boolean;

  constructor(
    message: string,
    facts: Pick<ProviderErrorFacts, "provider" | "code"> & Partial<ProviderErrorFacts>,
    meta: {
      kind: MessengerErrorKind;
      metaCode?: number | null;
      metaSubcode?: number | null;
      traceId?: string | null;
      isAmbiguous?: boolean;
    },
    cause?: unknown,
  ) {
    super(message, facts, cause);
    this.name = "MessengerError";
    this.kind = meta.kind;
    this.metaCode = meta.metaCode ?? null;
    this.metaSubcode = meta.metaSubcode ?? null;
    this.traceId = meta.traceId ?? null;
    this.isAmbiguous = meta.isAmbiguous ?? false;
  }
}

export interface BusinessToken {
  accessToken: string;
  /** null: it never expires, or Meta does not say. */
  expiresInSeconds: number | null;
}

export interface TokenFacts {
  /** The app that it was given to; must be ours. */
  appId: string;
  isValid: boolean;
  /** null: never. */
  expiresAt: Date | null;
  scopes: readonly string[];
  /** WhatsApp business accounts it may reach, newest first; empty when Meta does not say. */
  wabaIds: readonly string[];
}

export interface BusinessAccount {
  id: string;
  name: string | null;
  ownerBusinessId: string | null;
}

export interface MessengerNumber {
  id: string;
  displayPhoneNumber: string;
  verifiedName: string | null;
  /** `VERIFIED`, `NOT_VERIFIED`, `EXPIRED`. */
  codeVerificationStatus: string | null;
  nameStatus: string | null;
  /** `CONNECTED`, `PENDING`, `DISCONNECTED`, … */
  status: string | null;
  qualityRating: string | null;
  /** `CLOUD_API`, `ON_PREMISE`, `NOT_APPLICABLE`. */
  platformType: string | null;
  throughput: string | null;
  /** It stays in the WhatsApp Business app (coexistence). */
  isOnBusinessApp: boolean;
}

/** Whom a message goes to: a phone number (digits) wins over Meta's id for the person. */
export interface Recipient {
  phone: string | null;
  bsuid: string | null;
}

export interface MediaFacts {
  url: string;
  mimeType: string;
  sha256: string | null;
  sizeBytes: number | null;
}

/**
 * Meta's Graph API as far as WhatsApp needs it, for one app. `token` is a customer's business token, never ours.
 * All throw {@link MessengerError}, and the reason of `signal`. Nothing is retried in here.
 */
export interface Messenger {
  /** Once for each code: after a time-out it is lost, and the customer signs up again. @param redirectUri null: the popup's */
  exchangeCode(code: string, redirectUri: string | null, signal: AbortSignal): Promise<BusinessToken>;
  inspectToken(token: string, signal: AbortSignal): Promise<TokenFacts>;
  getBusinessAccount(token: string, wabaId: string, signal: AbortSignal): Promise<BusinessAccount>;
  /** All pages of them. */
  listNumbers(token: string, wabaId: string, signal: AbortSignal): Promise<MessengerNumber[]>;
  /** `health_status` as Meta gives it, e.g. `{can_send_message: "BLOCKED", entities: […]}`. */
  getHealth(
    token: string,
    phoneNumberId: string,
    signal: AbortSignal,
  ): Promise<Record<string, unknown> | null>;
  /** Our app hears of this account from now on. Idempotent. */
  subscribe(token: string, wabaId: string, signal: AbortSignal): Promise<void>;
  unsubscribe(token: string, wabaId: string, signal: AbortSignal): Promise<void>;
  /** @param pin six digits: sets the number's two-step PIN, or must equal it */
  register(token: string, phoneNumberId: string, pin: string, signal: AbortSignal): Promise<void>;
  deregister(token: string, phoneNumberId: string, signal: AbortSignal): Promise<void>;
  requestCode(
    token: string,
    phoneNumberId: string,
    by: { method: "SMS" | "VOICE"; language: string },
    signal: AbortSignal,
  ): Promise<void>;
  verifyCode(token: string, phoneNumberId: string, code: string, signal: AbortSignal): Promise<void>;
  /** Coexistence only, once each, within 24 h. @returns Meta's id of the request */
  startSync(
    token: string,
    phoneNumberId: string,
    what: "smb_app_state_sync" | "history",
    signal: AbortSignal,
  ): Promise<string>;
  /**
   * @param message `{type: "text", text: {…}}`, with `context` where it answers one
   * @param reference comes back with every status (`biz_opaque_callback_data`)
   * @returns the message's id (`wamid…`). Accepted is not delivered.
   */
  send(
    token: string,
    phoneNumberId: string,
    to: Recipient,
    message: Record<string, unknown>,
    reference: string,
    signal: AbortSignal,
  ): Promise<string>;
  /** Marks it, and all before it, as read; `typing` shows for 25 s, or until something is sent. */
  markRead(
    token: string,
    phoneNumberId: string,
    wamid: string,
    typing: boolean,
    signal: AbortSignal,
  ): Promise<void>;
  getMedia(token: string, phoneNumberId: string, mediaId: string, signal: AbortSignal): Promise<MediaFacts>;
  /** From Meta's hosts only. @throws MessengerError `media` when it is larger, or its hash is another */
  downloadMedia(
    token: string,
    media: Pick<MediaFacts, "url" | "sha256">,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<Uint8Array>;
}

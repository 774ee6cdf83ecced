import { ProviderError, type ProviderErrorFacts } from "./provider-error.ts";

/** What kinds of numbers can be asked for. */
export const NUMBER_TYPES = ["local", "mobile", "national", "toll_free"] as const;
export type NumberType = (typeof NUMBER_TYPES)[number];

/**
 * Why a carrier refused.
 * - `taken`: somebody else was quicker, or the number is no longer for sale
 * - `papers`: it is sold only with papers that say who uses it, and with an address where the country wants one
 * - `not_offered`: the carrier sells no numbers of this kind in this country
 * - `other`: all else; `code` of the error says whether waiting helps
 */
export type CarrierErrorKind = "taken" | "papers" | "not_offered" | "other";

/** A carrier refused or failed. */
export class CarrierError extends ProviderError {
  readonly kind: CarrierErrorKind;
  /** Its own words; null when it said none. */
  readonly said: string | null;
  /**
   * The carrier may have done all the same what it was asked: no answer came, or one that says nothing about it. An
   * order that ended so must be looked for before it is given again.
   */
  readonly isAmbiguous: boolean;

  constructor(
    message: string,
    facts: Pick<ProviderErrorFacts, "provider" | "code"> & Partial<ProviderErrorFacts>,
    carrier: { kind: CarrierErrorKind; said: string | null; isAmbiguous: boolean },
    cause?: unknown,
  ) {
    super(message, facts, cause);
    this.name = "CarrierError";
    this.kind = carrier.kind;
    this.said = carrier.said;
    this.isAmbiguous = carrier.isAmbiguous;
  }
}

/** A number that is for sale. */
export interface OfferedNumber {
  /** E.164 */
  number: string;
  capabilities: NumberCapabilities;
  /** Whether it is sold only with an address, and which: anywhere, or near the number, or outside its country. */
  addressRequired: "none" | "any" | "local" | "foreign";
}

export interface NumberCapabilities {
  voice: boolean;
  sms: boolean;
}

/** A number that is ours at the carrier. */
export interface OwnedNumber {
  /** The carrier's own id of it. */
  id: string;
  /** E.164 */
  number: string;
  /** Our name for the order it came from, or what somebody wrote there. */
  reference: string;
  capabilities: NumberCapabilities;
  /** Word for word what the carrier calls its state. */
  status: string;
}

/** What a country wants to know about who uses a number. */
export interface NumberPapers {
  /** One line for each kind of user that the regulation knows, such as "Germany: Local - Business". */
  regulation: string;
  /** What must be handed in, in the carrier's words. */
  documents: readonly string[];
}

/** Papers that were handed in, and what became of them. */
export interface BundleState {
  verdict: "waiting" | "approved" | "rejected";
  /** Word for word what the carrier calls it. */
  status: string;
}

/** Where calls and messages to a number go. */
export interface NumberRouting {
  /** Asked with POST when a call comes in; null: nobody is asked. */
  voiceUrl: string | null;
  /** Asked instead when that fails. */
  voiceFallbackUrl: string | null;
  /** Told with POST when a call changes its state. */
  statusCallbackUrl: string | null;
}

/**
 * Who sells telephone numbers and carries the calls to them. Every function throws a {@link CarrierError}, or the reason
 * of an aborted signal.
 */
export interface Carrier {
  readonly provider: "twilio" | "telnyx";
  /** An order whose answer never came shows up among our numbers within this time, or was not carried out. */
  readonly settleMs: number;
  /** Numbers for sale that carry calls, at most `limit`. Empty when there are none now. */
  searchNumbers(
    wanted: { country: string; type: NumberType; areaCode: string | null; limit: number },
    signal?: AbortSignal,
  ): Promise<OfferedNumber[]>;
  /** What the country's regulation wants for such a number, by kind of user; empty: nothing. */
  listPapers(wanted: { country: string; type: NumberType }, signal?: AbortSignal): Promise<NumberPapers[]>;
  getBundle(bundleId: string, signal?: AbortSignal): Promise<BundleState>;
  /** Buys it. Not idempotent: whoever calls it writes down `reference` first, and looks for it afterwards. */
  orderNumber(
    order: { number: string; reference: string; bundleId: string | null; addressId: string | null },
    signal?: AbortSignal,
  ): Promise<OwnedNumber>;
  /** Our numbers that were ordered under exactly this reference. */
  findByReference(reference: string, signal?: AbortSignal): Promise<OwnedNumber[]>;
  /** One of our numbers; `undefined` when it is not ours. */
  findNumber(number: string, signal?: AbortSignal): Promise<OwnedNumber | undefined>;
  /** Idempotent. */
  routeNumber(id: string, routing: NumberRouting, signal?: AbortSignal): Promise<void>;
  /** Gives it back; one that is not ours any more counts as given back. */
  releaseNumber(id: string, signal?: AbortSignal): Promise<void>;
}

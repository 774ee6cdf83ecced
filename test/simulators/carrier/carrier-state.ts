import { createHash } from "node:crypto";

export type NumberKind = "Local" | "Mobile" | "National" | "TollFree";

/** A number that nobody has yet. */
export type StockedNumber = {
  number: string;
  country: string;
  kind: NumberKind;
  /** Digits that a search by area code looks for. */
  areaCode: string;
  addressRequired: "none" | "any" | "local" | "foreign";
  sms: boolean;
  /** Searches go on showing it, but it is sold already. */
  isGone: boolean;
};

/** A number of the account. */
export type SoldNumber = {
  sid: string;
  number: string;
  kind: NumberKind;
  friendlyName: string;
  bundleSid: string | null;
  addressSid: string | null;
  sms: boolean;
  voiceUrl: string;
  voiceFallbackUrl: string;
  statusCallback: string;
  createdAt: Date;
};

export type Regulation = {
  sid: string;
  friendlyName: string;
  country: string;
  /** As regulations call the kinds: `toll-free`. */
  numberType: string;
  endUser: string;
  /** Of each inner list one document is enough. */
  documents: { name: string; accepted: string[] }[][];
};

export type CarrierState = {
  accountSid: string;
  authToken: string;
  stock: StockedNumber[];
  owned: SoldNumber[];
  /** Every sale there ever was, also of numbers given back since: what somebody pays for. */
  sales: { number: string; friendlyName: string }[];
  regulations: Regulation[];
  bundles: Map<string, string>;
  addresses: Set<string>;
  /** Runs when an order has been read, before anything is sold. */
  beforeSale: () => Promise<void>;
  /** Runs when a number is sold, before that is answered. */
  afterSale: () => Promise<void>;
  /** Runs when it has been read where calls are to go, before they do. */
  beforeRouting: () => Promise<void>;
};

export function newCarrierState(accountSid: string, authToken: string): CarrierState {
  return {
    accountSid,
    authToken,
    stock: [],
    owned: [],
    sales: [],
    regulations: [],
    bundles: new Map(),
    addresses: new Set(),
    beforeSale: async () => undefined,
    afterSale: async () => undefined,
    beforeRouting: async () => undefined,
  };
}

/** As Twilio's ids look: two letters and 32 hex digits. The same name is the same id. */
export function sidOf(prefix: string, name: string): string {
  return `${prefix}${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
}

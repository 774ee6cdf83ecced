import { randomBytes, randomInt } from "node:crypto";

/** A phone number as Meta keeps it. */
export interface SimNumber {
  id: string;
  wabaId: string;
  /** Without the plus sign. */
  digits: string;
  displayPhoneNumber: string;
  verifiedName: string;
  codeVerificationStatus: "VERIFIED" | "NOT_VERIFIED" | "EXPIRED";
  nameStatus: string;
  status: string;
  qualityRating: string;
  platformType: string;
  throughput: string;
  isOnBizApp: boolean;
  accountMode: "LIVE" | "SANDBOX";
  /** Two-step PIN; null: none yet. */
  pin: string | null;
  /** So many attempts to register find the display name in review. */
  nameReviewAttempts: number;
  /** Deleted a moment ago: registering is refused for five minutes from then. */
  deletedAtMs: number | null;
  /** An earlier deregistration hangs: it must be done again first. */
  isDeregistrationIncomplete: boolean;
  wrongPins: number;
  /** When it was registered or deregistered. */
  registrationsMs: number[];
  /** Sent by SMS or read out; null: none asked for. */
  verificationCode: string | null;
  /** Coexistence: what was asked to be synchronised. */
  synced: Set<string>;
  declinesHistory: boolean;
  onboardedMs: number;
  canSendMessage: "AVAILABLE" | "LIMITED" | "BLOCKED";
  callbackOverride: string | null;
}

export interface SimWaba {
  id: string;
  name: string;
  isSubscribed: boolean;
  callbackOverride: string | null;
}

export interface SimBusiness {
  businessId: string;
  wabaId: string;
  numbers: SimNumber[];
}

export interface SimToken {
  business: SimBusiness;
  /** The accounts that it reaches, newest first. */
  wabaIds: string[];
  appId: string;
  /** 0: never. */
  expiresAtMs: number;
  granularScopes: boolean;
  scopes: string[];
  /** `expired` answers 190/463, `revoked` 190/460. */
  state: "good" | "expired" | "revoked";
}

export interface SimCode {
  business: SimBusiness;
  redirectUri: string | null;
  expiresAtMs: number;
  isUsed: boolean;
  token: Pick<SimToken, "granularScopes" | "expiresAtMs" | "appId" | "wabaIds">;
}

export interface SimMedia {
  id: string;
  wabaId: string;
  bytes: Buffer;
  mimeType: string;
}

export interface CodeOptions {
  /** Of the full-page dialog; the popup has none. */
  redirectUri?: string;
  /** Default 30 s. */
  expiresInMs?: number;
  /** `false`: debug_token says nothing of targets, as since June 2026. */
  granularScopes?: boolean;
  /** The token will be another app's. */
  foreignApp?: boolean;
  /** Never, where it is not said. */
  tokenExpiresAt?: Date;
  /** Accounts that the customer shared, newest first; the business's own where it is not said. */
  wabaIds?: string[];
}

/** What Meta knows. */
export interface MetaWorld {
  appId: string;
  appSecret: string;
  configId: string;
  verifyToken: string;
  nowMs(): number;
  callbackLimitMs: number;
  wabas: Map<string, SimWaba & { business: SimBusiness }>;
  numbers: Map<string, SimNumber>;
  tokens: Map<string, SimToken>;
  codes: Map<string, SimCode>;
  media: Map<string, SimMedia>;
  /** By `number id/person`: when the person last wrote. */
  lastInboundMs: Map<string, number>;
  /** By `number id/wamid`. */
  inbound: Set<string>;
  /** By `number id/person`: what is left of a burst, and when that was counted. */
  bursts: Map<string, { left: number; atMs: number }>;
}

/** As Meta's ids look; random, since simulators of several tests may face one database. */
export function newId(digits = 16): string {
  return Array.from({ length: digits }, (_, index) => randomInt(index === 0 ? 1 : 0, 10)).join("");
}

export function newWamid(): string {
  return `wamid.HBg${randomBytes(21).toString("base64").replaceAll("+", "A").replaceAll("/", "B")}`;
}

export function newBusiness(
  world: MetaWorld,
  options: { wabaId?: string; numbers?: Partial<SimNumber>[] } = {},
): SimBusiness {
  const wabaId = options.wabaId ?? newId();
  const numbers = (options.numbers ?? [{}]).map((number) => newNumber(world, wabaId, number));
  const business = { businessId: newId(), wabaId, numbers };
  world.wabas.set(wabaId, {
    id: wabaId,
    name: "Acme Ltd",
    isSubscribed: false,
    callbackOverride: null,
    business,
  });
  return business;
}

function newNumber(world: MetaWorld, wabaId: string, given: Partial<SimNumber>): SimNumber {
  const digits = given.digits ?? `1555${newId(7)}`;
  const number: SimNumber = {
    id: newId(),
    digits,
    displayPhoneNumber: `+${digits.slice(0, 1)} ${digits.slice(1, 4)}-${digits.slice(4, 7)}-${digits.slice(7)}`,
    verifiedName: "Acme Support",
    codeVerificationStatus: "VERIFIED",
    nameStatus: "APPROVED",
    status: given.isOnBizApp ? "CONNECTED" : "PENDING",
    qualityRating: "GREEN",
    platformType: given.isOnBizApp ? "CLOUD_API" : "NOT_APPLICABLE",
    throughput: given.isOnBizApp ? "STANDARD" : "NOT_APPLICABLE",
    isOnBizApp: false,
    accountMode: "LIVE",
    pin: null,
    nameReviewAttempts: 0,
    deletedAtMs: null,
    isDeregistrationIncomplete: false,
    wrongPins: 0,
    registrationsMs: [],
    verificationCode: null,
    synced: new Set(),
    declinesHistory: false,
    onboardedMs: world.nowMs(),
    canSendMessage: "AVAILABLE",
    callbackOverride: null,
    ...given,
    wabaId,
  };
  world.numbers.set(number.id, number);
  return number;
}

export function newToken(world: MetaWorld, business: SimBusiness, facts: Partial<SimToken> = {}): string {
  const token = `EAA${randomBytes(60).toString("base64url")}ZD`;
  world.tokens.set(token, {
    business,
    wabaIds: [business.wabaId],
    appId: world.appId,
    expiresAtMs: 0,
    granularScopes: true,
    scopes: ["whatsapp_business_management", "whatsapp_business_messaging"],
    state: "good",
    ...facts,
  });
  return token;
}

export function issueCode(world: MetaWorld, business: SimBusiness, options: CodeOptions = {}): string {
  const code = `AQ${randomBytes(80).toString("base64url")}`;
  world.codes.set(code, {
    business,
    redirectUri: options.redirectUri ?? null,
    expiresAtMs: world.nowMs() + (options.expiresInMs ?? 30_000),
    isUsed: false,
    token: {
      wabaIds: options.wabaIds ?? [business.wabaId],
      granularScopes: options.granularScopes ?? true,
      expiresAtMs: options.tokenExpiresAt?.getTime() ?? 0,
      appId: options.foreignApp ? newId(15) : world.appId,
    },
  });
  return code;
}

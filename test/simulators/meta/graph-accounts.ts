import { randomBytes } from "node:crypto";
import { GraphError, invalid } from "./graph-error.ts";
import { requireBody, requireFields, requireNumber, requireWaba } from "./graph-token.ts";
import type { MetaAnswer, MetaRequest } from "./meta-server.ts";
import type { MetaWorld, SimNumber } from "./meta-world.ts";

const WABA_FIELDS = ["id", "name", "owner_business_info", "currency", "timezone_id"];
const NUMBER_FIELDS = [
  "id",
  "display_phone_number",
  "verified_name",
  "code_verification_status",
  "name_status",
  "status",
  "quality_rating",
  "platform_type",
  "throughput",
  "is_on_biz_app",
  "account_mode",
  "last_onboarded_time",
  "webhook_configuration",
  "health_status",
  "is_pin_enabled",
];

export function getWaba(world: MetaWorld, request: MetaRequest, id: string): MetaAnswer {
  const waba = requireWaba(world, request, id);
  const businessId = world.wabas.get(id)?.business.businessId;
  const all: Record<string, unknown> = {
    id: waba.id,
    name: waba.name,
    owner_business_info: { name: waba.name, id: businessId },
    currency: "EUR",
    timezone_id: "47",
  };
  return picked(all, requireFields(request, WABA_FIELDS, ["id", "name", "currency", "timezone_id"]));
}

/** `limit` to a page, 25 where nothing is said; the cursor is the last number's id. */
export function listNumbers(world: MetaWorld, request: MetaRequest, wabaId: string, url: string): MetaAnswer {
  requireWaba(world, request, wabaId);
  const fields = requireFields(request, NUMBER_FIELDS, [
    "id",
    "display_phone_number",
    "verified_name",
    "code_verification_status",
    "quality_rating",
    "platform_type",
    "throughput",
  ]);
  const limit = Number(request.query.limit ?? 25);
  const all = [...world.numbers.values()].filter((number) => number.wabaId === wabaId);
  const { after } = request.query;
  const start = after === undefined ? 0 : all.findIndex(({ id }) => cursorOf(id) === after) + 1;
  if (after !== undefined && start === 0) throw invalid("Invalid cursor");
  const page = all.slice(start, start + limit);
  const [first] = page;
  const last = page.at(-1);
  if (first === undefined || last === undefined) return { status: 200, body: { data: [] } };
  const isMore = start + limit < all.length;
  const next = new URLSearchParams({ ...request.query, after: cursorOf(last.id) });
  return {
    status: 200,
    body: {
      data: page.map((number) => pick(numberFields(number), fields)),
      paging: {
        cursors: { before: cursorOf(first.id), after: cursorOf(last.id) },
        ...(isMore && { next: `${url}${request.path}?${next}` }),
      },
    },
  };
}

export function getNumber(world: MetaWorld, request: MetaRequest, id: string): MetaAnswer {
  const number = requireNumber(world, request, id);
  const fields = requireFields(request, NUMBER_FIELDS, [
    "id",
    "display_phone_number",
    "verified_name",
    "quality_rating",
  ]);
  return picked(numberFields(number), fields);
}

/** Subscribed plainly, or, once that was done, with another callback than the app's. */
export async function subscribe(world: MetaWorld, request: MetaRequest, id: string): Promise<MetaAnswer> {
  const waba = requireWaba(world, request, id);
  const body = requireBody(request, ["override_callback_uri", "verify_token"]);
  if (body.override_callback_uri === undefined) {
    waba.isSubscribed = true;
    waba.callbackOverride = null;
    return done();
  }
  if (!waba.isSubscribed) {
    throw invalid(
      "Before override the current callback uri, your app must be subscribed to receive messages for WhatsApp Business Account",
    );
  }
  waba.callbackOverride = await verifiedCallback(world, body.override_callback_uri, body.verify_token);
  return done();
}

export function unsubscribe(world: MetaWorld, request: MetaRequest, id: string): MetaAnswer {
  const waba = requireWaba(world, request, id);
  waba.isSubscribed = false;
  waba.callbackOverride = null;
  return done();
}

export function listSubscriptions(world: MetaWorld, request: MetaRequest, id: string): MetaAnswer {
  const waba = requireWaba(world, request, id);
  const app = { id: world.appId, name: "LumenOne test", link: "https://example.com/" };
  const override = waba.callbackOverride && { override_callback_uri: waba.callbackOverride };
  const data = waba.isSubscribed ? [{ whatsapp_business_api_data: app, ...override }] : [];
  return { status: 200, body: { data } };
}

/** A number's own settings: only its callback. An empty one takes it away. */
export async function updateNumber(world: MetaWorld, request: MetaRequest, id: string): Promise<MetaAnswer> {
  const number = requireNumber(world, request, id);
  const { webhook_configuration: wanted } = requireBody(request, ["webhook_configuration"]);
  if (typeof wanted !== "object" || wanted === null || !("override_callback_uri" in wanted)) {
    throw invalid("The parameter webhook_configuration is required.");
  }
  const { override_callback_uri: uri } = wanted;
  const token = "verify_token" in wanted ? wanted.verify_token : undefined;
  number.callbackOverride = uri === "" ? null : await verifiedCallback(world, uri, token);
  return done();
}

async function verifiedCallback(world: MetaWorld, uri: unknown, verifyToken: unknown): Promise<string> {
  if (typeof uri !== "string" || uri.length > 200 || !URL.canParse(uri)) {
    throw invalid("Param override_callback_uri must be a valid URI of at most 200 characters");
  }
  if (typeof verifyToken !== "string") throw invalid("The parameter verify_token is required.");
  const problem = await verifyCallback(world, uri, verifyToken);
  if (problem !== null) {
    throw new GraphError({ code: 2200, message: `(#2200) Callback verification failed: ${problem}` });
  }
  return uri;
}

/** Meta's handshake: the challenge must come back, alone and soon. @returns what went wrong, or null */
export async function verifyCallback(
  world: MetaWorld,
  uri: string,
  verifyToken: string,
): Promise<string | null> {
  const challenge = String(randomBytes(4).readUInt32BE());
  const url = new URL(uri);
  url.searchParams.set("hub.mode", "subscribe");
  url.searchParams.set("hub.challenge", challenge);
  url.searchParams.set("hub.verify_token", verifyToken);
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(world.callbackLimitMs),
      redirect: "manual",
    });
    const text = await answer.text();
    return answer.status === 200 && text === challenge ? null : `HTTP ${answer.status}`;
  } catch {
    return "no answer";
  }
}

function numberFields(number: SimNumber): Record<string, unknown> {
  return {
    id: number.id,
    display_phone_number: number.displayPhoneNumber,
    verified_name: number.verifiedName,
    code_verification_status: number.codeVerificationStatus,
    name_status: number.nameStatus,
    status: number.status,
    quality_rating: number.qualityRating,
    platform_type: number.platformType,
    throughput: { level: number.throughput },
    is_on_biz_app: number.isOnBizApp,
    account_mode: number.accountMode,
    last_onboarded_time: new Date(number.onboardedMs).toISOString().replace(/\.\d+Z/, "+0000"),
    webhook_configuration: { application: number.callbackOverride ?? "https://example.com/webhook" },
    is_pin_enabled: number.pin !== null,
    health_status: {
      can_send_message: number.canSendMessage,
      entities: [
        { entity_type: "PHONE_NUMBER", id: number.id, can_send_message: number.canSendMessage },
        { entity_type: "WABA", id: number.wabaId, can_send_message: "AVAILABLE" },
      ],
    },
  };
}

function cursorOf(id: string): string {
  return Buffer.from(id).toString("base64url");
}

function picked(all: Record<string, unknown>, fields: readonly string[]): MetaAnswer {
  return { status: 200, body: pick(all, fields) };
}

function pick(all: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, all[field]]));
}

export function done(): MetaAnswer {
  return { status: 200, body: { success: true } };
}

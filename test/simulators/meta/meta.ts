import { randomBytes } from "node:crypto";
import { answerGraph } from "./graph.ts";
import { verifyCallback } from "./graph-accounts.ts";
import { addMedia, downloadMedia, mediaNode } from "./graph-media.ts";
import { type MessageLog, messageLog } from "./message-log.ts";
import { type MetaAnswer, type MetaRequest, type MetaServer, startMetaServer } from "./meta-server.ts";
import {
  type CodeOptions,
  issueCode,
  type MetaWorld,
  newBusiness,
  newId,
  newToken,
  type SimBusiness,
  type SimMedia,
  type SimNumber,
  type SimToken,
} from "./meta-world.ts";
import { type SignupSettings, type SimDialog, signupDialog } from "./signup-dialog.ts";
import { type PayloadMaker, payloadMaker, type WebhookPayload } from "./webhook-payloads.ts";
import { hear, sendWebhook, type WebhookOptions, type WebhookReply } from "./webhook-sender.ts";

export interface MetaSimulator
  extends Pick<MetaServer, "url" | "requests" | "fail" | "close">,
    Omit<MessageLog, "take"> {
  appId: string;
  appSecret: string;
  configId: string;
  verifyToken: string;
  /** What Meta answers to too many requests: its page says 400, its OpenAPI file 429. */
  rateStatus: 400 | 429;
  /** Settings for `startTestServer`. */
  environment(): Record<string, string>;
  addBusiness(options?: { wabaId?: string; numbers?: Partial<SimNumber>[] }): SimBusiness;
  issueCode(business: SimBusiness, options?: CodeOptions): string;
  /** A business token without the code dance. */
  issueToken(business: SimBusiness, facts?: Partial<SimToken>): string;
  /** Every token of this business is over. */
  endTokens(business: SimBusiness, state: "expired" | "revoked"): void;
  addMedia(business: SimBusiness, bytes: Uint8Array, mimeType: string): SimMedia;
  /** What a webhook says of it: `webhook.message(number, {type: "image", image: mediaNode(media)})`. */
  mediaNode(media: SimMedia): Record<string, unknown>;
  /** Meta's handshake with a webhook, as when it is entered in the dashboard. @returns what went wrong, or null */
  verifyCallback(url: string, verifyToken?: string): Promise<string | null>;
  /** How sign-ups in the browser go from now on. */
  signup(settings: Partial<SignupSettings>): void;
  /** Every sign-up dialog that was opened. */
  dialogs: SimDialog[];
  now: { ms(): number; advance(ms: number): void };
  webhook: PayloadMaker & {
    send(serverUrl: string, payload: WebhookPayload, options?: WebhookOptions): Promise<WebhookReply[]>;
    /** Meta remembers it as sent, and nobody receives it. */
    hear(payload: WebhookPayload): void;
  };
}

export interface MetaOptions {
  port?: number;
  /** How long it waits for its challenge; about six seconds, as Meta. */
  callbackLimitMs?: number;
  /** Known beforehand; made up where nothing is said. */
  app?: Pick<MetaWorld, "appId" | "appSecret" | "configId" | "verifyToken">;
}

/** Meta on loopback: Graph, its OAuth, its media host, and what sends webhooks. */
export async function startMeta(options: MetaOptions = {}): Promise<MetaSimulator> {
  let aheadMs = 0;
  const world = newWorld(() => Date.now() + aheadMs, options);
  const maker = payloadMaker(world);
  const dialog = signupDialog(world);
  const { take, ...log } = messageLog(world, maker);
  const limits: Pick<MetaSimulator, "rateStatus"> = { rateStatus: 400 };

  async function answer(request: MetaRequest): Promise<MetaAnswer> {
    const [, first = "", second = ""] = request.path.split("/");
    const page = dialog.answer(request);
    if (page !== undefined) return page;
    if (first === "media") return downloadMedia(world, request, second);
    return await answerGraph(world, request, server.url, (id) => take(request, id));
  }

  const server = await startMetaServer(answer, () => limits.rateStatus, options.port);
  // The same object, so that a test can set `rateStatus`.
  return Object.assign(limits, {
    ...server,
    ...log,
    ...customersOf(world, server.url),
    appId: world.appId,
    appSecret: world.appSecret,
    configId: world.configId,
    verifyToken: world.verifyToken,
    environment: () => environmentOf(world, server.url),
    verifyCallback: (url: string, token = world.verifyToken) => verifyCallback(world, url, token),
    signup: (settings: Partial<SignupSettings>) => void Object.assign(dialog.settings, settings),
    dialogs: dialog.dialogs,
    now: {
      ms: () => world.nowMs(),
      advance(ms: number) {
        aheadMs += ms;
      },
    },
    webhook: {
      ...maker,
      send: (serverUrl: string, payload: WebhookPayload, how?: WebhookOptions) =>
        sendWebhook(world, serverUrl, payload, how),
      hear: (payload: WebhookPayload) => hear(world, payload),
    },
  });
}

type Customers = Pick<
  MetaSimulator,
  "addBusiness" | "issueCode" | "issueToken" | "endTokens" | "addMedia" | "mediaNode"
>;

function customersOf(world: MetaWorld, url: string): Customers {
  return {
    addBusiness: (wanted) => newBusiness(world, wanted),
    issueCode: (business, wanted) => issueCode(world, business, wanted),
    issueToken: (business, facts) => newToken(world, business, facts),
    endTokens(business, state) {
      for (const token of world.tokens.values()) if (token.business === business) token.state = state;
    },
    addMedia: (business, bytes, mimeType) => addMedia(world, business.wabaId, Buffer.from(bytes), mimeType),
    mediaNode: (media) => mediaNode(world, media, url),
  };
}

function newWorld(nowMs: () => number, { callbackLimitMs = 6_000, app }: MetaOptions): MetaWorld {
  return {
    appId: newId(15),
    appSecret: randomBytes(16).toString("hex"),
    configId: newId(15),
    verifyToken: randomBytes(16).toString("hex"),
    ...app,
    nowMs,
    callbackLimitMs,
    wabas: new Map(),
    numbers: new Map(),
    tokens: new Map(),
    codes: new Map(),
    media: new Map(),
    lastInboundMs: new Map(),
    inbound: new Set(),
    bursts: new Map(),
  };
}

function environmentOf(world: MetaWorld, url: string): Record<string, string> {
  return {
    META_APP_ID: world.appId,
    META_APP_SECRET: world.appSecret,
    META_CONFIG_ID: world.configId,
    META_WEBHOOK_VERIFY_TOKEN: world.verifyToken,
    META_GRAPH_BASE_URL: url,
    META_GRAPH_VERSION: "v25.0",
    META_SDK_URL: `${url}/sdk.js`,
    META_DIALOG_ORIGINS: url,
  };
}

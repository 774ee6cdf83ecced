import {
  type Messenger,
  MessengerError,
  type MessengerNumber,
  type Recipient,
} from "../../ports/messenger.ts";
import {
  NUMBER_FIELDS,
  readAccount,
  readHealth,
  readMedia,
  readNumbers,
  readSent,
  readSuccess,
  readSync,
  readToken,
  readTokenFacts,
} from "./convert-answer.ts";
import { asOurs, badAnswer, PROVIDER } from "./convert-error.ts";
import { fetchMedia } from "./download-media.ts";
import { callGraph, type GraphCall, type MetaOptions } from "./graph-client.ts";

/** Registering waits for WhatsApp's own servers. */
const REGISTER_TIMEOUT_MS = 30_000;
const PAGE = "100";
/** More numbers than any account may have; a cursor that leads in a circle ends here. */
const MAX_PAGES = 50;

/** Meta's Graph API for one app (developers.facebook.com/docs/whatsapp/cloud-api). */
export function metaMessenger(options: MetaOptions): Messenger {
  const call = (request: GraphCall) => callGraph(options, request);
  return {
    async exchangeCode(code, redirectUri, signal) {
      const query = {
        client_id: options.appId,
        client_secret: options.appSecret,
        code,
        // The popup has none, and its exchange fails with one.
        ...(redirectUri !== null && { redirect_uri: redirectUri }),
      };
      return readToken(
        await call({ path: "oauth/access_token", query, token: null, secrets: [code], signal }),
      );
    },
    async inspectToken(token, signal) {
      const own = `${options.appId}|${options.appSecret}`;
      const query = { input_token: token };
      const request = { path: "debug_token", query, token: own, secrets: [token], signal };
      return readTokenFacts(await call(request).catch(asOurs));
    },
    async getBusinessAccount(token, wabaId, signal) {
      const query = { fields: "id,name,owner_business_info,currency,timezone_id" };
      return readAccount(await call({ path: id(wabaId), query, token, signal }));
    },
    listNumbers: (token, wabaId, signal) => listNumbers(options, token, wabaId, signal),
    async getHealth(token, phoneNumberId, signal) {
      return readHealth(
        await call({ path: id(phoneNumberId), query: { fields: "health_status" }, token, signal }),
      );
    },
    async subscribe(token, wabaId, signal) {
      readSuccess(await call({ method: "POST", path: `${id(wabaId)}/subscribed_apps`, token, signal }));
    },
    async unsubscribe(token, wabaId, signal) {
      readSuccess(await call({ method: "DELETE", path: `${id(wabaId)}/subscribed_apps`, token, signal }));
    },
    ...registration(call),
    ...messages(call),
    downloadMedia: (token, media, maxBytes, signal) => fetchMedia(options, token, media, maxBytes, signal),
  };
}

type Call = (request: GraphCall) => Promise<unknown>;

function registration(
  call: Call,
): Pick<Messenger, "register" | "deregister" | "requestCode" | "verifyCode" | "startSync"> {
  const method = "POST";
  return {
    async register(token, phoneNumberId, pin, signal) {
      const path = `${id(phoneNumberId)}/register`;
      const json = { messaging_product: "whatsapp", pin };
      const timeoutMs = REGISTER_TIMEOUT_MS;
      readSuccess(await call({ method, path, json, token, secrets: [pin], timeoutMs, signal }));
    },
    async deregister(token, phoneNumberId, signal) {
      const path = `${id(phoneNumberId)}/deregister`;
      readSuccess(await call({ method, path, token, timeoutMs: REGISTER_TIMEOUT_MS, signal }));
    },
    async requestCode(token, phoneNumberId, by, signal) {
      const path = `${id(phoneNumberId)}/request_code`;
      const json = { code_method: by.method, language: by.language };
      readSuccess(await call({ method, path, json, token, signal }));
    },
    async verifyCode(token, phoneNumberId, code, signal) {
      const path = `${id(phoneNumberId)}/verify_code`;
      readSuccess(await call({ method, path, json: { code }, token, secrets: [code], signal }));
    },
    async startSync(token, phoneNumberId, what, signal) {
      const path = `${id(phoneNumberId)}/smb_app_data`;
      const json = { messaging_product: "whatsapp", sync_type: what };
      return readSync(await call({ method, path, json, token, signal }));
    },
  };
}

function messages(call: Call): Pick<Messenger, "send" | "markRead" | "getMedia"> {
  return {
    async send(token, phoneNumberId, to, message, reference, signal) {
      const json = {
        messaging_product: "whatsapp",
        recipient_type: "individual",
        ...addressOf(to),
        ...message,
        biz_opaque_callback_data: reference,
      };
      const path = `${id(phoneNumberId)}/messages`;
      return readSent(await call({ method: "POST", path, json, token, signal }));
    },
    async markRead(token, phoneNumberId, wamid, typing, signal) {
      const json = {
        messaging_product: "whatsapp",
        status: "read",
        message_id: wamid,
        ...(typing && { typing_indicator: { type: "text" } }),
      };
      const path = `${id(phoneNumberId)}/messages`;
      readSuccess(await call({ method: "POST", path, json, token, signal }));
    },
    async getMedia(token, phoneNumberId, mediaId, signal) {
      const query = { phone_number_id: phoneNumberId };
      return readMedia(await call({ path: id(mediaId), query, token, signal }));
    },
  };
}

async function listNumbers(
  options: MetaOptions,
  token: string,
  wabaId: string,
  signal: AbortSignal,
): Promise<MessengerNumber[]> {
  const path = `${id(wabaId)}/phone_numbers`;
  const found: MessengerNumber[] = [];
  let after: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = { fields: NUMBER_FIELDS, limit: PAGE, ...(after !== null && { after }) };
    const answer = readNumbers(await callGraph(options, { path, query, token, signal }));
    found.push(...answer.numbers);
    if (answer.after === null) return found;
    after = answer.after;
  }
  throw badAnswer("lists numbers without end");
}

/** A BSUID in `to` is accepted and reaches nobody; it goes where it belongs. */
function addressOf({ phone, bsuid }: Recipient): Record<string, string> {
  if (phone !== null) return { to: phone };
  if (bsuid !== null) return { recipient: bsuid };
  throw new MessengerError(
    "The message has nobody to go to.",
    { provider: PROVIDER, code: "rejected" },
    { kind: "undeliverable" },
  );
}

/** Ids come from webhooks and browsers: none of them may become another path. */
function id(text: string): string {
  if (/^[\w-]+$/.test(text)) return text;
  throw new MessengerError(
    "The id is not one of Meta's.",
    { provider: PROVIDER, code: "not_found" },
    { kind: "asset" },
  );
}

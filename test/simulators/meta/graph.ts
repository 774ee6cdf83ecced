import {
  getNumber,
  getWaba,
  listNumbers,
  listSubscriptions,
  subscribe,
  unsubscribe,
  updateNumber,
} from "./graph-accounts.ts";
import { GraphError, invalid, noSuchObject } from "./graph-error.ts";
import { deleteMedia, getMedia, uploadMedia } from "./graph-media.ts";
import { debugToken, exchangeCode } from "./graph-oauth.ts";
import { deregister, register, requestCode, startSync, verifyCode } from "./graph-registration.ts";
import { requireToken } from "./graph-token.ts";
import type { MetaAnswer, MetaRequest } from "./meta-server.ts";
import type { MetaWorld } from "./meta-world.ts";

type Handler = (id: string) => MetaAnswer | Promise<MetaAnswer>;
type Routes = Record<string, Handler>;

/** Versions that Meta still serves; older ones are over. */
const VERSIONS = ["v21.0", "v22.0", "v23.0", "v24.0", "v25.0", "v26.0"];

/** Everything below `/v25.0/`. `sendMessage` is the simulator's, since it keeps what was sent. */
export async function answerGraph(
  world: MetaWorld,
  request: MetaRequest,
  url: string,
  sendMessage: Handler,
): Promise<MetaAnswer> {
  const [version = "", ...parts] = request.path.slice(1).split("/");
  refuseVersion(version, request.path);
  const path = parts.join("/");
  if (request.method === "GET" && path === "oauth/access_token") return exchangeCode(world, request);
  if (request.method === "GET" && path === "debug_token") return debugToken(world, request);
  const [id = "", edge = "", ...rest] = parts;
  const kind = kindOf(world, id);
  const routes = {
    waba: wabaRoutes(world, request, url),
    number: numberRoutes(world, request, sendMessage),
    media: mediaRoutes(world, request, url),
    unknown: {},
  }[kind];
  const handler = rest.length === 0 ? (routes as Routes)[`${request.method} ${edge}`] : undefined;
  if (handler !== undefined) return await handler(id);
  // Who has no good token learns nothing else.
  requireToken(world, request);
  if (kind === "unknown" || edge === "") throw noSuchObject(id, request.method.toLowerCase());
  throw invalid(`Tried accessing nonexisting field (${[edge, ...rest].join("/")})`);
}

function refuseVersion(version: string, path: string): void {
  if (VERSIONS.includes(version)) return;
  if (/^v\d+\.\d+$/.test(version) && Number(version.slice(1)) < 21) {
    throw new GraphError({ code: 2635, message: "(#2635) You are calling a deprecated version of the API" });
  }
  throw new GraphError({ code: 2500, message: `Unknown path components: ${path}` });
}

function kindOf(world: MetaWorld, id: string): "waba" | "number" | "media" | "unknown" {
  if (world.wabas.has(id)) return "waba";
  if (world.numbers.has(id)) return "number";
  return world.media.has(id) ? "media" : "unknown";
}

function wabaRoutes(world: MetaWorld, request: MetaRequest, url: string): Routes {
  return {
    "GET ": (id) => getWaba(world, request, id),
    "GET phone_numbers": (id) => listNumbers(world, request, id, url),
    "GET subscribed_apps": (id) => listSubscriptions(world, request, id),
    "POST subscribed_apps": (id) => subscribe(world, request, id),
    "DELETE subscribed_apps": (id) => unsubscribe(world, request, id),
  };
}

function numberRoutes(world: MetaWorld, request: MetaRequest, sendMessage: Handler): Routes {
  return {
    "GET ": (id) => getNumber(world, request, id),
    "POST ": (id) => updateNumber(world, request, id),
    "POST register": (id) => register(world, request, id),
    "POST deregister": (id) => deregister(world, request, id),
    "POST request_code": (id) => requestCode(world, request, id),
    "POST verify_code": (id) => verifyCode(world, request, id),
    "POST smb_app_data": (id) => startSync(world, request, id),
    "POST messages": sendMessage,
    "POST media": (id) => uploadMedia(world, request, id),
  };
}

function mediaRoutes(world: MetaWorld, request: MetaRequest, url: string): Routes {
  return {
    "GET ": (id) => getMedia(world, request, id, url),
    "DELETE ": (id) => deleteMedia(world, request, id),
  };
}

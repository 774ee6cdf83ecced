import { GraphError, invalid, noSuchObject } from "./graph-error.ts";
import type { MetaRequest } from "./meta-server.ts";
import type { MetaWorld, SimNumber, SimToken, SimWaba } from "./meta-world.ts";

/** From the header, or as `access_token` in the query or the form. */
function givenToken(request: MetaRequest): string | undefined {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  if (scheme?.toLowerCase() === "bearer") return token;
  return request.query.access_token;
}

/** The business token that a request carries. */
export function requireToken(world: MetaWorld, request: MetaRequest): SimToken {
  const text = givenToken(request);
  if (text === undefined || text === "") {
    throw new GraphError({
      code: 104,
      status: 401,
      message: "An access token is required to request this resource.",
    });
  }
  const token = world.tokens.get(text);
  if (token === undefined) {
    throw new GraphError({ code: 190, message: "Invalid OAuth access token - Cannot parse access token" });
  }
  const ended = endOf(world, token);
  if (ended !== null) throw new GraphError(ended);
  return token;
}

/** Why a token is no longer good; null: it is. */
export function endOf(
  world: MetaWorld,
  token: SimToken,
): { code: number; subcode: number; message: string } | null {
  const isOver = token.expiresAtMs !== 0 && token.expiresAtMs <= world.nowMs();
  if (token.state === "expired" || isOver) {
    return { code: 190, subcode: 463, message: "Error validating access token: Session has expired" };
  }
  if (token.state === "revoked") {
    const message = "Error validating access token: The user has not authorized application";
    return { code: 190, subcode: 458, message };
  }
  return null;
}

/** Of the app itself: `APP_ID|APP_SECRET`. */
export function requireAppToken(world: MetaWorld, request: MetaRequest): void {
  if (givenToken(request) === `${world.appId}|${world.appSecret}`) return;
  throw new GraphError({ code: 190, message: "Invalid OAuth access token signature." });
}

/** One of the token's own business accounts. */
export function requireWaba(world: MetaWorld, request: MetaRequest, id: string): SimWaba {
  const token = requireToken(world, request);
  const waba = world.wabas.get(id);
  if (waba === undefined || !token.wabaIds.includes(id)) throw noSuchObject(id, verbOf(request));
  requireScope(token, "whatsapp_business_management");
  return waba;
}

export function requireNumber(
  world: MetaWorld,
  request: MetaRequest,
  id: string,
  scope = "whatsapp_business_management",
): SimNumber {
  const token = requireToken(world, request);
  const number = world.numbers.get(id);
  if (number === undefined || !token.wabaIds.includes(number.wabaId)) throw noSuchObject(id, verbOf(request));
  requireScope(token, scope);
  return number;
}

function requireScope(token: SimToken, scope: string): void {
  if (token.scopes.includes(scope)) return;
  throw new GraphError({
    code: 200,
    message: `(#200) You do not have the necessary permissions (${scope}) to perform this action`,
  });
}

function verbOf(request: MetaRequest): string {
  return request.method.toLowerCase();
}

/** The fields that a request names, all of which must exist. */
export function requireFields(
  request: MetaRequest,
  known: readonly string[],
  defaults: readonly string[],
): string[] {
  const asked = request.query.fields;
  if (asked === undefined || asked === "") return [...defaults];
  const fields = asked.split(",").map((field) => field.trim());
  const unknown = fields.find((field) => !known.includes(field));
  if (unknown !== undefined) throw invalid(`Tried accessing nonexisting field (${unknown})`);
  return fields.includes("id") ? fields : [...fields, "id"];
}

/** The body of a POST: an object in JSON or a form, with no key beside `known`. */
export function requireBody(request: MetaRequest, known: readonly string[]): Record<string, unknown> {
  const { body, raw } = request;
  if (raw.length === 0) return {};
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/(json|x-www-form-urlencoded)/.test(type)) {
    throw invalid(`The content type ${type || "(none)"} is not supported`);
  }
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalid("Invalid JSON in the body");
  const unexpected = Object.keys(body).find((key) => !known.includes(key));
  if (unexpected !== undefined) throw invalid(`Unexpected key "${unexpected}" on param "body"`);
  return { ...body };
}

export function requireMessagingProduct(body: Record<string, unknown>): void {
  if (body.messaging_product === undefined) throw invalid("The parameter messaging_product is required.");
  if (body.messaging_product !== "whatsapp") {
    throw invalid("Param messaging_product must be one of {WHATSAPP} - got something else");
  }
}

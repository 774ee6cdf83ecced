import type { IncomingMessage, ServerResponse } from "node:http";

export type TokenEndpoint = {
  clientId: string;
  clientSecret: string;
  /** How the client must identify itself (RFC 6749 §2.3.1). Default `basic`. */
  method: "basic" | "post";
  /** `null`: the answer does not say. */
  expiresIn: number | null;
  /** What it was asked for, in order: the fields of each form. */
  asked: Record<string, string>[];
  /** Every token that was given out and is still good. */
  valid: Set<string>;
  /** Instead of a token; used up by answering. */
  failNext: { status: number; body: string } | null;
  delayMs: number;
};

export function newTokenEndpoint(): TokenEndpoint {
  return {
    clientId: "client id:1",
    clientSecret: "SECRET-oauth/+ä",
    method: "basic",
    expiresIn: 3_600,
    asked: [],
    valid: new Set(),
    failNext: null,
    delayMs: 0,
  };
}

/** As strict as RFC 6749 lets a server be: §2.3.1, §3.2, §4.4, §5. */
export async function answerToken(
  endpoint: TokenEndpoint,
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
): Promise<void> {
  const fields = [...new URLSearchParams(body)];
  const form = Object.fromEntries(fields);
  endpoint.asked.push(form);
  if (endpoint.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, endpoint.delayMs));
  const answer = (status: number, value: object, headers: Record<string, string> = {}) =>
    response
      .writeHead(status, {
        "content-type": "application/json",
        "cache-control": "no-store",
        pragma: "no-cache",
        ...headers,
      })
      .end(JSON.stringify(value));
  const refuse = (error: string, status = 400, headers = {}) => answer(status, { error }, headers);
  if (endpoint.failNext !== null) {
    const { status, body: text } = endpoint.failNext;
    endpoint.failNext = null;
    response.writeHead(status, { "content-type": "application/json" }).end(text);
    return;
  }
  const isForm = request.headers["content-type"] === "application/x-www-form-urlencoded";
  if (request.method !== "POST" || !isForm || new Set(fields.map(([name]) => name)).size !== fields.length) {
    refuse("invalid_request");
    return;
  }
  const basic = basicOf(request.headers.authorization);
  const posted = "client_secret" in form ? { id: form.client_id, secret: form.client_secret } : undefined;
  // "The client MUST NOT use more than one authentication method in each request."
  if (basic !== undefined && posted !== undefined) {
    refuse("invalid_request");
    return;
  }
  const given = endpoint.method === "basic" ? basic : posted;
  if (given?.id !== endpoint.clientId || given.secret !== endpoint.clientSecret) {
    if (request.headers.authorization === undefined) refuse("invalid_client");
    else refuse("invalid_client", 401, { "www-authenticate": 'Basic realm="tokens"' });
    return;
  }
  if (form.grant_type !== "client_credentials") {
    refuse("unsupported_grant_type");
    return;
  }
  const token = `SECRET-token-${endpoint.asked.length}-${Math.random().toString(36).slice(2)}`;
  endpoint.valid.add(token);
  const life = endpoint.expiresIn === null ? {} : { expires_in: endpoint.expiresIn };
  answer(200, { access_token: token, token_type: "Bearer", ...life });
}

function basicOf(header: string | undefined): { id: string; secret: string } | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const [id = "", secret = ""] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  const decode = (text: string) => new URLSearchParams(`v=${text}`).get("v") ?? "";
  return { id: decode(id), secret: decode(secret) };
}

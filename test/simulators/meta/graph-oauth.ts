import { GraphError } from "./graph-error.ts";
import { endOf, requireAppToken } from "./graph-token.ts";
import type { MetaAnswer, MetaRequest } from "./meta-server.ts";
import { type MetaWorld, newToken } from "./meta-world.ts";

/** `GET /oauth/access_token`: a code becomes a business token, once and within 30 seconds. */
export function exchangeCode(world: MetaWorld, { query }: MetaRequest): MetaAnswer {
  const { client_id, client_secret, code, redirect_uri } = query;
  if (client_id !== world.appId) {
    throw new GraphError({ code: 101, message: "Error validating application. Invalid application ID." });
  }
  if (client_secret !== world.appSecret) {
    throw new GraphError({ code: 1, status: 400, message: "Error validating client secret." });
  }
  if (code === undefined || code === "") throw refused("Missing authorization code");
  const known = world.codes.get(code);
  if (known === undefined) throw refused("Invalid verification code format.", 36009);
  if (known.isUsed) throw refused("This authorization code has been used.", 36009);
  if (known.expiresAtMs <= world.nowMs()) throw refused("This authorization code has expired.", 36007);
  // Whatever it is good for: a code that was shown is spent.
  known.isUsed = true;
  if (known.redirectUri !== (redirect_uri ?? null)) {
    throw refused(
      "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request",
      36008,
    );
  }
  const { expiresAtMs } = known.token;
  return {
    status: 200,
    body: {
      access_token: newToken(world, known.business, known.token),
      token_type: "bearer",
      ...(expiresAtMs === 0 ? {} : { expires_in: Math.round((expiresAtMs - world.nowMs()) / 1000) }),
    },
  };
}

/** `GET /debug_token`: what a token is good for, told to the app only. */
export function debugToken(world: MetaWorld, request: MetaRequest): MetaAnswer {
  requireAppToken(world, request);
  const input = request.query.input_token;
  if (input === undefined) throw new GraphError({ code: 100, message: "(#100) Missing input_token" });
  const token = world.tokens.get(input);
  if (token === undefined) {
    const error = { code: 190, message: "Invalid OAuth access token - Cannot parse access token" };
    return { status: 200, body: { data: { error, is_valid: false, scopes: [] } } };
  }
  const ended = endOf(world, token);
  const error = ended && { code: ended.code, message: ended.message, subcode: ended.subcode };
  return {
    status: 200,
    body: {
      data: {
        app_id: token.appId,
        type: "SYSTEM_USER",
        application: "LumenOne test",
        data_access_expires_at: 0,
        ...(error && { error }),
        expires_at: Math.floor(token.expiresAtMs / 1000),
        is_valid: ended === null,
        scopes: token.scopes,
        granular_scopes: token.granularScopes
          ? token.scopes.map((scope) => ({ scope, target_ids: token.wabaIds }))
          : [],
        user_id: token.business.businessId,
      },
    },
  };
}

function refused(message: string, subcode?: number): GraphError {
  return new GraphError({ code: 100, message, ...(subcode && { subcode }) });
}

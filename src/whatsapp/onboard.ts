import { isUtf8 } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import type { App } from "../context.ts";
import { parseInput } from "../http/parse.ts";
import { notFound, Problem } from "../http/problem.ts";
import type { PublicAnswer, PublicRequest, PublicRoute } from "../http/public-route.ts";
import { WorkspaceParams } from "../workspaces/workspaces.schemas.ts";
import { OnboardAnswer, OnboardBody } from "./onboard.schemas.ts";
import { answerStop, httpStatusOf, type Stop } from "./onboard-answer.ts";
import { runSaga } from "./onboard-saga.ts";
import { type PageTokenView, viewPageToken } from "./page-token.ts";
import { type Claim, claimPageToken, findAnswer, Superseded } from "./page-token-claim.ts";
import { refuseUnconfigured } from "./page-token-mint.ts";
import { isOwnOrigin } from "./public-address.ts";

/** How long a second click waits for what the first one is answered. */
const WAIT_MS = 15_000;
const POLL_MS = 200;
const POLL_SECONDS = 2;

export const onboardRoute: PublicRoute = {
  id: "onboardWhatsApp",
  method: "POST",
  path: "/api/v1/workspace/:slug/whatsapp/onboard",
  reference: {
    tag: "WhatsApp",
    summary: "Finish a connection: called by the page that connects, never by you.",
    description:
      "Goes on from the step that was done last: `needs` says what to send next, without another popup as long as it " +
      "is not `new_code`. The same code sent again is answered what it was answered. Errors carry the fields of the " +
      "answer, too, with an `error` of `code`, `message` and `trace_id`.",
    access: "Opened by the token of a link, as a bearer token, from the page's own origin.",
    isPageToken: true,
    params: WorkspaceParams,
    body: { schema: OnboardBody, example: { event: "FINISH", code: "AQB…", waba_id: "524126980791429" } },
    answers: {
      200: { description: "Done, or something is needed.", type: "application/json", schema: OnboardAnswer },
      202: { description: "Meta has to be waited for.", type: "application/json", schema: OnboardAnswer },
    },
    problems: [
      "invalid_request",
      "not_found",
      "conflict",
      "gone",
      "payload_too_large",
      "unsupported_media_type",
      "unprocessable",
      "internal",
      "overloaded",
    ],
  },
  bodyLimitBytes: 16_384,
  async handle(app, request) {
    const token = readToken(app, request);
    const body = readBody(app, request);
    refuseUnconfigured(app);
    return toHttp(await onboard(app, request, token, body));
  },
};

/**
 * Only a page of ours posts here, with the token it was opened with: `application/json` makes browsers ask first
 * whether another origin may, and nobody says yes.
 */
function readToken(app: App, { headers }: PublicRequest): string {
  if (!isOwnOrigin(app.config, headers.origin, headers.host)) {
    throw new Problem("invalid_request", "headers.origin: only the page that connects may call this.", {
      details: [{ path: "headers.origin", message: "is not ours" }],
    });
  }
  if (headers["content-type"]?.split(";")[0]?.trim().toLowerCase() !== "application/json")
    throw new Problem(
      "unsupported_media_type",
      "Send the body as JSON, with Content-Type: application/json.",
    );
  const [scheme, token = ""] = headers.authorization?.split(" ") ?? [];
  return scheme?.toLowerCase() === "bearer" ? token : "";
}

/** Before the token is looked at: what is malformed must not use up anything. */
function readBody(app: App, { body, headers }: PublicRequest): OnboardBody {
  const input = parseInput(
    { params: undefined, query: undefined, body: OnboardBody },
    { params: undefined, query: undefined, body: parseJson(body) },
  );
  const parsed = OnboardBody.parse(input.body);
  const { redirect_uri: back } = parsed;
  if (back === undefined || isOwnOrigin(app.config, new URL(back).origin, headers.host)) return parsed;
  throw new Problem("invalid_request", "body.redirect_uri: is not a page of ours.", {
    details: [{ path: "body.redirect_uri", message: "is not a page of ours" }],
  });
}

function parseJson(body: Buffer): unknown {
  try {
    if (isUtf8(body)) return JSON.parse(body.toString("utf8"));
  } catch {
    // Said below, as of what is not text at all.
  }
  throw new Problem("invalid_request", "body: is not JSON.", {
    details: [{ path: "body", message: "is not JSON" }],
  });
}

async function onboard(
  app: App,
  request: PublicRequest,
  token: string,
  body: OnboardBody,
): Promise<OnboardAnswer> {
  const { slug = "" } = request.params;
  const claim = await claimPageToken(app, slug, token, body.code);
  if (claim.kind === "busy" && claim.isSameCode) return waitForOther(app, token, claim.attempt);
  if (claim.kind !== "claimed") return answerUnclaimed(claim);
  if (app.messenger === null) throw new Error("what is not configured was refused before");
  try {
    return await runSaga({ app, messenger: app.messenger, claim, body, requestId: request.requestId });
  } catch (error) {
    if (!(error instanceof Superseded)) throw error;
    // Revoked, used or taken over meanwhile: as for a request that came just now.
    const { state } = await viewPageToken(app, slug, token);
    throw state === "valid" ? inProgress(POLL_SECONDS) : gone(state);
  }
}

/** Two clicks on one button: the second is told what the first one is. */
async function waitForOther(app: App, token: string, attempt: number): Promise<OnboardAnswer> {
  for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += POLL_MS) {
    await sleep(POLL_MS);
    const answer = await findAnswer(app, token, attempt);
    if (answer === null) break;
    if (answer !== undefined) return answer;
  }
  throw inProgress(POLL_SECONDS);
}

function answerUnclaimed(claim: Exclude<Claim, { kind: "claimed" }>): OnboardAnswer {
  switch (claim.kind) {
    case "answered":
      return claim.answer;
    case "code_needed":
      return answerStop(claim.isLost ? CODE_LOST : CODE_MISSING, undefined);
    case "busy":
      throw inProgress(claim.retryAfterSeconds);
    default:
      throw gone(claim.kind);
  }
}

const CODE_MISSING: Stop = {
  step: "exchange_code",
  code: "code_missing",
  message: "Sign in with Facebook first.",
  needs: "new_code",
};

const CODE_LOST: Stop = {
  ...CODE_MISSING,
  code: "code_lost",
  message: "The sign-in was interrupted. Sign in once more.",
};

function inProgress(retryAfterSeconds: number): Problem {
  const message = "The number is being connected just now.";
  const answer = answerStop(
    { step: "exchange_code", code: "in_progress", message, needs: "wait", retryAfterSeconds },
    undefined,
  );
  return toProblem("conflict", answer);
}

/** A token of another workspace is as unknown as one that never was. */
function gone(state: Exclude<PageTokenView["state"], "valid">): Problem {
  if (state === "unknown") return notFound("link");
  const answer = answerStop(
    { step: "exchange_code", code: `link_${state}`, message: GONE[state], needs: null, retryable: false },
    undefined,
  );
  return toProblem("gone", answer);
}

const GONE = {
  used: "This link was used already.",
  expired: "This link has expired. Ask for another one.",
  revoked: "This link is no longer valid. Ask for another one.",
};

function toHttp(answer: OnboardAnswer): PublicAnswer {
  const status = httpStatusOf(answer);
  if (status >= 400) throw toProblem(status === 409 ? "conflict" : "unprocessable", answer);
  return {
    status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      ...retryAfter(answer),
    },
    body: JSON.stringify(answer),
  };
}

/** The same fields, with those that every error has. */
function toProblem(code: "conflict" | "gone" | "unprocessable", answer: OnboardAnswer): Problem {
  return new Problem(code, answer.error?.message ?? "", {
    extra: answer,
    headers: { "cache-control": "no-store", ...retryAfter(answer) },
  });
}

function retryAfter({ retry_after_seconds: seconds }: OnboardAnswer): Record<string, string> {
  return seconds === undefined ? {} : { "retry-after": String(seconds) };
}

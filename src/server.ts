import { isUtf8 } from "node:buffer";
import type { Socket } from "node:net";
import multipart from "@fastify/multipart";
import Fastify, {
  type ConnectionError,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { createAccountDirectory } from "./accounts/account-directory.ts";
import { operations, publicRoutes } from "./areas.ts";
import type { App } from "./context.ts";
import { isStalePlan } from "./db/pg-session.ts";
import { mountDocumentation } from "./documentation.ts";
import { databaseIdempotencyStore } from "./http/idempotency-store.ts";
import { createRateLimiter } from "./http/limits.ts";
import { mount } from "./http/mount.ts";
import type { Operation } from "./http/operation.ts";
import { Problem } from "./http/problem.ts";
import { mountPublicRoutes } from "./http/public-route.ts";
import { createRequestIds } from "./http/request-id.ts";
import { mountMetrics } from "./metrics.ts";
import { createKeyDirectory } from "./partners/key-directory.ts";
import { mountRelay } from "./voice/relay/relay-server.ts";

const BODY_LIMIT_BYTES = 1024 * 1024;
/** Slugs are doubled by their hex form, document names are up to 255 bytes, percent-encoded. */
const PARAM_LENGTH_MAX = 2_000;
/** Why a request came to nothing before it was one, by the code that Node gives it. */
const NO_HTTP: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "has headers that are too large",
  ERR_HTTP_REQUEST_TIMEOUT: "did not arrive in time",
};

/** The HTTP side: every operation, health, metrics, documentation. Not listening yet. */
export async function buildServer(
  app: App,
  stopping: AbortSignal,
  served: readonly Operation[] = operations,
): Promise<FastifyInstance> {
  const requestId = createRequestIds();
  const fastify = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId: requestId,
    clientErrorHandler: (error, socket) => answerNoHttp(error, socket, requestId({ headers: {} })),
    return503OnClosing: false,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => answerError(app, error, request, reply),
  });

  fastify.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id);
    done();
  });
  useJson(fastify);
  await fastify.register(multipart);
  fastify.setErrorHandler((error: FastifyError | Error, request, reply) =>
    answerError(app, error, request, reply),
  );
  fastify.setNotFoundHandler((request) => {
    throw new Problem(
      "route_not_found",
      `There is no ${request.method} ${pathOf(request)}. The reference is at /docs.`,
    );
  });

  const keys = createKeyDirectory(app);
  const accounts = createAccountDirectory(app);
  fastify.addHook("onClose", () => keys.close());
  mountMetrics(fastify, app);
  mountHealth(fastify, app, stopping);
  mountDocumentation(fastify, app);
  mount(
    fastify,
    {
      app,
      access: { findKey: keys.find, findAccount: accounts.find },
      limiter: createRateLimiter(app.config.rateLimitPerMinute, () => performance.now()),
      idempotency: databaseIdempotencyStore(app.db, app.newId),
      stopping,
    },
    served,
  );
  await mountPublicRoutes(fastify, app, publicRoutes, stopping);
  const callsWritten = mountRelay(fastify.server, app, stopping);
  fastify.addHook("onClose", callsWritten);
  return fastify;
}

/**
 * JSON in UTF-8 is the one content type; a body of no bytes is no body, whatever its type says. Bytes that are not
 * UTF-8 are refused: decoded all the same, they would be stored as replacement characters.
 */
function useJson(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  const parse = fastify.getDefaultJsonParser("error", "error");
  fastify.addContentTypeParser<Buffer>("application/json", { parseAs: "buffer" }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else if (isUtf8(body)) parse(request, body.toString("utf8"), done);
    else done(notUtf8());
  });
}

function notUtf8(): Problem {
  return new Problem("invalid_request", "body: is not UTF-8.", {
    details: [{ path: "body", message: "is not UTF-8" }],
  });
}

function mountHealth(fastify: FastifyInstance, app: App, stopping: AbortSignal): void {
  fastify.get("/health/live", async () => ({ status: "live" }));
  fastify.get("/health/ready", async () => {
    if (stopping.aborted)
      throw new Problem("overloaded", "Shutting down.", { headers: { "retry-after": "5" } });
    await app.db.asSystem("signals", (tx) => tx.selectFrom("signals").select("name").limit(1).execute());
    return { status: "ready" };
  });
}

function answerError(
  app: App,
  error: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = toProblem(error);
  // A request whose client is gone is answered to nobody.
  if (problem.status >= 500 && !reply.raw.destroyed) {
    const { caller } = request;
    const tenant = { partnerId: caller?.partnerId, accountId: caller?.accountId };
    app.log.error(
      { error, requestId: request.id, ...tenant, operation: request.routeOptions.config.operation?.id },
      "request failed",
    );
  }
  return (
    reply
      .code(problem.status)
      // Again, for what failed before any hook: a path that cannot be decoded.
      .header("x-request-id", request.id)
      .headers({ ...problem.options.headers })
      .type("application/json; charset=utf-8")
      .send(JSON.stringify(isOpenAi(request) ? problem.toOpenAiBody(request.id) : problem.toBody(request.id)))
  );
}

function isOpenAi(request: FastifyRequest): boolean {
  return request.routeOptions.config?.operation?.errors === "openai";
}

/** What is not HTTP never becomes a request; whoever sent it reads the same shape all the same. */
function answerNoHttp(error: ConnectionError, socket: Socket, requestId: string): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const message = NO_HTTP[error.code] ?? "is not HTTP/1.1";
  const details = [{ path: "headers", message }];
  const problem = new Problem("invalid_request", `The request is malformed: it ${message}.`, { details });
  const body = JSON.stringify(problem.toBody(requestId));
  socket.end(
    [
      "HTTP/1.1 400 Bad Request",
      "connection: close",
      "content-type: application/json; charset=utf-8",
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      "",
      body,
    ].join("\r\n"),
  );
}

/** Fastify's own complaints in our words; what nobody expected is a fault of ours and says nothing of its inside. */
function toProblem(error: FastifyError | Error): Problem {
  if (error instanceof Problem) return error;
  const status = "statusCode" in error ? error.statusCode : undefined;
  if (status === 413)
    return new Problem("payload_too_large", "The body is larger than this operation takes.");
  if (status === 415) {
    return new Problem(
      "unsupported_media_type",
      "Send the body as JSON, with Content-Type: application/json.",
    );
  }
  if (status !== undefined && status >= 400 && status < 500) {
    const code = "code" in error ? error.code : "";
    const path = code === "FST_ERR_BAD_URL" || code === "FST_ERR_MAX_PARAM_LENGTH" ? "url" : "body";
    return new Problem("invalid_request", `The request is malformed: ${error.message}.`, {
      details: [{ path, message: error.message }],
    });
  }
  if (isDatabaseAway(error)) {
    return new Problem("overloaded", "The database cannot be reached just now. Try again.", {
      headers: { "retry-after": "2" },
    });
  }
  return new Problem("internal", "An internal error occurred. Report the request id if it persists.");
}

/** The socket or the pool failed, not a statement; or a migration went past it, and once again it will work. */
function isDatabaseAway(error: Error): boolean {
  const code = "code" in error ? String(error.code) : "";
  return (
    ["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE", "57P01", "57P03", "53300", "08006"].includes(code) ||
    isStalePlan(error) ||
    /timeout exceeded when trying to connect|Connection terminated|not queryable|Query read timeout/.test(
      error.message,
    )
  );
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?")[0]?.slice(0, 200) ?? "";
}

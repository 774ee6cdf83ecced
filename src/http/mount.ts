import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../context.ts";
import { type Access, authorize, identify, type Soon, whenKnown } from "./authenticate.ts";
import type { Caller } from "./caller.ts";
import { Download, sendDownload } from "./download.ts";
import { EventStream, sendEvents, WrittenStream } from "./event-stream.ts";
import { type IdempotencyStore, performOnce } from "./idempotency.ts";
import type { RateLimiter } from "./limits.ts";
import { discard, readMultipart } from "./multipart.ts";
import { Answer, type ETagRule, type Operation, type OperationInput } from "./operation.ts";
import { parseInput } from "./parse.ts";
import { Problem } from "./problem.ts";

declare module "fastify" {
  interface FastifyRequest {
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    operation?: Operation;
  }
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

interface Doors {
  app: App;
  access: Access;
  limiter: RateLimiter | undefined;
  idempotency: IdempotencyStore;
  /** Aborted when the process is about to end: streams end then. */
  stopping: AbortSignal;
}

/** Turns operations into routes below `/api`. What a path does not offer is answered 405. */
export function mount(fastify: FastifyInstance, doors: Doors, operations: readonly Operation[]): void {
  fastify.decorateRequest("caller", null);
  for (const operation of operations) {
    fastify.route({
      method: operation.method,
      url: `/api${operation.path}`,
      config: { operation },
      ...(operation.bodyLimitBytes === undefined ? {} : { bodyLimit: operation.bodyLimitBytes }),
      onRequest: (request, reply, done) => settle(() => admit(doors, operation, request, reply), done),
      // A GET has no body that could be a form.
      ...(operation.method === "GET"
        ? {}
        : { preValidation: operation.multipart === undefined ? refuseForm : requireForm }),
      handler: (request, reply) => answer(doors, operation, request, reply),
    });
  }
  for (const [path, allowed] of methodsByPath(operations)) {
    fastify.route({
      method: METHODS.filter((method) => !allowed.includes(method)),
      url: `/api${path}`,
      onRequest: async () => {
        throw new Problem("method_not_allowed", `This path takes ${allowed.join(", ")}.`, {
          headers: { allow: allowed.join(", ") },
        });
      },
      handler: async () => undefined,
    });
  }
}

async function requireForm(request: FastifyRequest): Promise<void> {
  if (!request.isMultipart()) {
    throw new Problem(
      "unsupported_media_type",
      'Send a form: multipart/form-data with one file in the field "file".',
    );
  }
}

/** A form would pass for no body at all. */
async function refuseForm(request: FastifyRequest): Promise<void> {
  if (request.isMultipart()) {
    throw new Problem(
      "unsupported_media_type",
      "Send the body as JSON, with Content-Type: application/json.",
    );
  }
}

/** Runs before the body is read, so nobody without a key can make us parse anything. */
function admit(
  { access, limiter }: Doors,
  operation: Operation,
  request: FastifyRequest,
  reply: FastifyReply,
): Soon<void> {
  const { headers } = request;
  return whenKnown(identify(access, headers.authorization), (grant) => {
    if (limiter !== undefined) limit(limiter, grant.keyId, reply);
    return whenKnown(authorize(access, operation, grant, headers["x-account-id"], request.id), (caller) => {
      request.caller = caller;
    });
  });
}

/** Fastify's callback style, since a promise for every request is what the hot path can do without. */
function settle(work: () => Soon<void>, done: (error?: Error) => void): void {
  try {
    const pending = work();
    if (pending instanceof Promise) pending.then(() => done(), done);
    else done();
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Every request with a valid key counts, also one that is refused next: asking for accounts must not be free. */
function limit(limiter: RateLimiter, keyId: string, reply: FastifyReply): void {
  const { allowed, remaining, resetSeconds } = limiter.count(keyId);
  reply.header("ratelimit-policy", limiter.policy);
  reply.header("ratelimit", `"default";r=${remaining};t=${resetSeconds}`);
  if (allowed) return;
  throw new Problem("rate_limited", `Too many requests with this API key. Go on in ${resetSeconds} s.`, {
    headers: { "retry-after": String(resetSeconds) },
  });
}

async function answer(
  doors: Doors,
  operation: Operation,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { caller, params, query, body } = request;
  if (caller === null) throw new Error("an operation was reached without its caller");
  const multipart = operation.multipart !== undefined;
  const input = parseInput(operation, { params, query, body: multipart ? undefined : body });
  if (multipart) return answerForm(doors, operation, request, reply, caller, input);
  if (operation.stream !== false || operation.download)
    return answerStream(doors, operation, reply, caller, input);
  return answerJson(doors, operation, request, reply, caller, input, body);
}

/** A form's file is held while the verb runs, and discarded when it has ended. */
async function answerForm(
  doors: Doors,
  operation: Operation,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
  input: OperationInput,
): Promise<FastifyReply> {
  const { stagingDir, config, newId } = doors.app;
  const { fields, file } = await readMultipart(request, {
    folder: stagingDir,
    maxBytes: config.maxUploadBytes,
    newId,
  });
  try {
    const parsed = parseInput(
      { ...operation, params: undefined, query: undefined, body: operation.multipart },
      { params: undefined, query: undefined, body: fields },
    );
    const whole = { ...input, multipart: { fields: parsed.body, file } };
    return await answerJson(doors, operation, request, reply, caller, whole, [
      fields,
      file.fileName,
      file.sha256,
    ]);
  } finally {
    await discard(file);
  }
}

async function answerStream(
  doors: Doors,
  operation: Operation,
  reply: FastifyReply,
  caller: Caller,
  input: OperationInput,
): Promise<FastifyReply> {
  const signal = operation.watchesClient ? clientOf(reply, doors.stopping) : doors.stopping;
  const result = await operation.handle(doors.app, caller, input, signal);
  if (result instanceof Download) return sendDownload(reply, result);
  const stream = result instanceof EventStream ? checked(operation, result) : result;
  if (stream instanceof WrittenStream) {
    await sendEvents(reply, stream, signal);
    return reply;
  }
  if (operation.stream !== "on-request")
    throw new Error(`${operation.id} promises a stream and answers none`);
  return sendJson(reply, encode(operation, result));
}

/** Each event passes through the operation's schema. */
function checked(operation: Operation, { open }: EventStream<unknown>): WrittenStream<unknown> {
  return new WrittenStream(open, (event) => JSON.stringify(encode(operation, event).body));
}

/** Aborted when the client goes away or the server stops, whichever is first. */
function clientOf(reply: FastifyReply, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort(new Error("the client went away"));
  });
  return AbortSignal.any([gone.signal, stopping]);
}

function sendJson(reply: FastifyReply, { status, body }: { status: number; body: unknown }): FastifyReply {
  return reply.code(status).type("application/json; charset=utf-8").send(JSON.stringify(body));
}

/** @param sent what makes the request itself, for comparing repetitions */
async function answerJson(
  doors: Doors,
  operation: Operation,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
  input: OperationInput,
  sent: unknown,
): Promise<FastifyReply> {
  const signal = operation.watchesClient ? clientOf(reply, doors.stopping) : doors.stopping;
  const whole = operation.etag === undefined ? input : { ...input, ifMatch: request.headers["if-match"] };
  const perform = async (who: Caller) =>
    encode(operation, await operation.handle(doors.app, who, whole, signal));
  const key = request.headers["idempotency-key"];
  const fingerprint = [operation.id, request.params, request.query, sent];
  const done =
    operation.idempotent && typeof key === "string"
      ? await performOnce(doors.idempotency, caller, key, fingerprint, perform)
      : await perform(caller);
  if (operation.etag !== undefined && isKnown(operation.etag, done.body, request, reply))
    return reply.code(304).send();
  return sendJson(reply, done);
}

/** Names the state of the answer, and tells whether the client has it already. */
function isKnown(
  rule: ETagRule<unknown>,
  body: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): boolean {
  const etag = `"${rule.of(body)}"`;
  reply.header("etag", etag);
  if (rule.isWhole === undefined || request.method !== "GET") return false;
  const known =
    request.headers["if-none-match"]?.split(",").map((one) => one.trim().replace(/^W\//, "")) ?? [];
  return known.includes(etag) || known.includes("*");
}

/** The answer passes through its schema: a column that the schema does not name cannot leave. */
function encode(operation: Operation, result: unknown): { status: number; body: unknown } {
  const { status, body } = result instanceof Answer ? result : { status: 200, body: result };
  const schema = operation.response[status];
  if (schema === undefined) throw new Error(`${operation.id} declares no answer with status ${status}`);
  return { status, body: schema.parse(body) };
}

function methodsByPath(operations: readonly Operation[]): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const { path, method } of operations) paths.set(path, [...(paths.get(path) ?? []), method]);
  for (const methods of paths.values()) if (methods.includes("GET")) methods.push("HEAD");
  return paths;
}

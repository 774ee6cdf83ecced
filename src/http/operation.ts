import type { z } from "zod";
import type { App } from "../context.ts";
import type { AccountCaller, Caller } from "./caller.ts";
import type { Download } from "./download.ts";
import type { EventStream, WrittenStream } from "./event-stream.ts";
import type { StagedFile } from "./multipart.ts";
import type { ProblemCode } from "./problem.ts";
import type { Scope } from "./scopes.ts";

/**
 * How much of a tenant an operation needs.
 * - `partner`: a partner's key; `X-Account-Id` is not looked at
 * - `partner-or-account`: a partner's key; `X-Account-Id` narrows when it is sent
 * - `account`, `organization`, `workspace`: `X-Account-Id` is required
 * - `account-or-key`: an account, named by `X-Account-Id` or else by the key; a key of one workspace may call it, and
 *   the verb sees to it that it reaches no further: what clients need that cannot send headers of their own
 * - `superadmin`: a superadmin's key
 */
export type TenantLevel =
  | "partner"
  | "partner-or-account"
  | "account"
  | "organization"
  | "workspace"
  | "account-or-key"
  | "superadmin";

type CallerAt<Level extends TenantLevel> = Level extends
  | "account"
  | "organization"
  | "workspace"
  | "account-or-key"
  ? AccountCaller
  : Caller;

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** An answer with another status than 200: 202 where work goes on, 207 where part of a batch failed. */
export class Answer<Body> {
  readonly status: number;
  readonly body: Body;
  constructor(status: number, body: Body) {
    this.status = status;
    this.body = body;
  }
}

export interface ETagRule<Body> {
  /** Without its quotes. */
  of(body: Body): string;
  /** Nothing in the answer changes without it: who sends it back in `If-None-Match` is answered 304. */
  isWhole?: true;
}

/**
 * One operation of the API: router entry, documentation, permission, test case and client type in one value.
 * Everything a request can get wrong is declared here; `handle` receives only what passed.
 */
export interface OperationDefinition<
  Level extends TenantLevel,
  Params extends z.ZodObject | undefined,
  Query extends z.ZodObject | undefined,
  Body extends z.ZodType | undefined,
  Multipart extends z.ZodObject | undefined,
  Response extends z.ZodType,
> {
  id: string;
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** As published, without `/api`: `/v1/org/:orgSlug`. */
  path: `/v1/${string}`;
  tag: string;
  /** `null`: any valid key may call it. */
  scope: Scope | null;
  tenant: Level;
  summary: string;
  description?: string;
  params?: Params;
  query?: Query;
  body?: Body;
  /** Instead of a JSON body: a form with one `file` and these text fields. */
  multipart?: Multipart;
  /** One schema a status; 200 is what it answers without {@link Answer}. */
  response: Record<number, Response>;
  /** Beyond those that follow from key, account, scope and schemas. */
  problems?: readonly ProblemCode[];
  /** A mutating POST replays its result for the same Idempotency-Key unless it says `false` (secrets, streams). */
  idempotent?: boolean;
  /**
   * It answers server-sent events, each of the shape of `response[200]`; `on-request`: only when the body asks for them,
   * of a shape of their own.
   */
  stream?: true | "on-request";
  /** Its errors have, beside our own fields, an `error` as clients of OpenAI read it. */
  errors?: "openai";
  /** It answers a file. */
  download?: true;
  bodyLimitBytes?: number;
  /** Its work is worth ending when the client goes away. */
  watchesClient?: true;
  examples?: { body?: unknown; response?: unknown };
  /** What names the state of what it answers, such as a version: sent as `ETag`. */
  etag?: ETagRule<z.output<Response>>;
  handle(
    app: App,
    caller: CallerAt<Level>,
    input: {
      params: Output<Params>;
      query: Output<Query>;
      body: Output<Body>;
      multipart: { fields: Output<Multipart>; file: StagedFile };
      /** As sent; only where the operation has an `etag`. */
      ifMatch: string | undefined;
    },
    /** Aborted when the client goes away or the server stops; without `watchesClient` and `stream`, the latter only. */
    signal: AbortSignal,
  ): Promise<
    | z.input<Response>
    | Answer<z.input<Response>>
    | EventStream<z.input<Response>>
    // biome-ignore lint/suspicious/noExplicitAny: its events are its own; what it writes of them is not typed
    | WrittenStream<any>
    | Download
  >;
}

/** An operation whose types the router no longer needs to know. */
export interface Operation {
  id: string;
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: `/v1/${string}`;
  tag: string;
  scope: Scope | null;
  tenant: TenantLevel;
  summary: string;
  description: string | undefined;
  params: z.ZodObject | undefined;
  query: z.ZodObject | undefined;
  body: z.ZodType | undefined;
  multipart: z.ZodObject | undefined;
  response: Record<number, z.ZodType>;
  problems: readonly ProblemCode[];
  idempotent: boolean;
  stream: boolean | "on-request";
  errors: "openai" | undefined;
  download: boolean;
  bodyLimitBytes: number | undefined;
  watchesClient: boolean;
  examples: { body?: unknown; response?: unknown };
  etag: ETagRule<unknown> | undefined;
  handle(app: App, caller: Caller, input: OperationInput, signal: AbortSignal): Promise<unknown>;
}

export interface OperationInput {
  params: unknown;
  query: unknown;
  body: unknown;
  multipart?: { fields: unknown; file: StagedFile } | undefined;
  ifMatch?: string | undefined;
}

export function operation<
  Level extends TenantLevel,
  Response extends z.ZodType,
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
  Multipart extends z.ZodObject | undefined = undefined,
>(definition: OperationDefinition<Level, Params, Query, Body, Multipart, Response>): Operation {
  return {
    ...definition,
    description: definition.description,
    params: definition.params,
    query: definition.query,
    body: definition.body,
    multipart: definition.multipart,
    problems: definition.problems ?? [],
    idempotent: definition.idempotent ?? definition.method === "POST",
    stream: definition.stream ?? false,
    errors: definition.errors,
    watchesClient: (definition.watchesClient ?? false) || definition.stream !== undefined,
    download: definition.download ?? false,
    bodyLimitBytes: definition.bodyLimitBytes,
    examples: definition.examples ?? {},
    etag: definition.etag === undefined ? undefined : asUntyped(definition.etag),
    handle: (app, caller, input, signal) =>
      definition.handle(app, asCallerAt(caller), asParsed(input), signal),
  };
}

/** Safe: `mount` lets nobody through whose account the operation's `tenant` requires and who has none. */
function asCallerAt<Level extends TenantLevel>(caller: Caller): CallerAt<Level> {
  return caller as CallerAt<Level>;
}

/** Safe: `mount` hands it what the schema of the answer has let through. */
function asUntyped<Body>({ of, ...rest }: ETagRule<Body>): ETagRule<unknown> {
  return { ...rest, of: (body) => of(body as Body) };
}

/** Safe: `mount` has parsed the three parts with the very schemas these types come from. */
function asParsed<Params, Query, Body, Multipart>(input: OperationInput) {
  return input as {
    params: Output<Params>;
    query: Output<Query>;
    body: Output<Body>;
    multipart: { fields: Output<Multipart>; file: StagedFile };
    ifMatch: string | undefined;
  };
}

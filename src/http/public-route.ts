import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { App } from "../context.ts";
import type { Soon } from "./authenticate.ts";
import type { ProblemCode } from "./problem.ts";

/** A request to a {@link PublicRoute}. */
export interface PublicRequest {
  requestId: string;
  /** Decoded parts of the path. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** As it came: vendors sign bytes. Empty when there was none. */
  body: Buffer;
  /** Aborted when the client goes away or the server stops. */
  signal: AbortSignal;
}

export interface PublicAnswer {
  status: number;
  /** `content-type` among them. */
  headers: Readonly<Record<string, string>>;
  body: string | Buffer;
}

/**
 * A route that no API key opens: a page, or what a vendor calls. It says itself whom it lets in, by a token, a
 * signature, or nothing. A `Problem` that it throws is answered as everywhere else.
 */
export interface PublicRoute {
  id: string;
  method: "GET" | "POST";
  /** Whole: `/webhooks/whatsapp`, `/api/v1/…/:slug`. */
  path: `/${string}`;
  /** How the reference describes it; without one it does not. */
  reference?: RouteReference;
  /** 1 MB where it says nothing. */
  bodyLimitBytes?: number;
  handle(app: App, request: PublicRequest): Soon<PublicAnswer>;
}

/** What a reader of the reference needs to know of a route that no API key opens. All schemas have ids. */
export interface RouteReference {
  tag: string;
  summary: string;
  description: string;
  /** Who is let in, in a sentence. */
  access: string;
  /** It is opened by a page's token, sent as an API key would be. */
  isPageToken?: true;
  params?: z.ZodObject;
  query?: z.ZodObject;
  /** JSON. */
  body?: { schema: z.ZodType; example: unknown };
  answers: Readonly<Record<number, { description: string; type: string; schema: z.ZodType }>>;
  problems: readonly ProblemCode[];
}

/** Beside the operations, with bodies left as they came. */
export async function mountPublicRoutes(
  fastify: FastifyInstance,
  app: App,
  routes: readonly PublicRoute[],
  stopping: AbortSignal,
): Promise<void> {
  await fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    for (const route of routes) {
      scope.route({
        method: route.method,
        url: route.path,
        ...(route.bodyLimitBytes === undefined ? {} : { bodyLimit: route.bodyLimitBytes }),
        handler: async (request, reply) => {
          const gone = new AbortController();
          // Also when all went well: then nobody listens any more.
          reply.raw.once("close", () => gone.abort());
          const signal = AbortSignal.any([gone.signal, stopping]);
          const answer = await route.handle(app, requestOf(request, signal));
          return reply.code(answer.status).headers(answer.headers).send(answer.body);
        },
      });
    }
  });
}

function requestOf(request: FastifyRequest, signal: AbortSignal): PublicRequest {
  const question = request.url.indexOf("?");
  return {
    requestId: request.id,
    params: asParams(request.params),
    query: new URLSearchParams(question === -1 ? "" : request.url.slice(question + 1)),
    headers: request.headers,
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    signal,
  };
}

/** Fastify's router makes nothing else of a path. */
function asParams(params: unknown): Record<string, string> {
  return params as Record<string, string>;
}

import type { FastifyInstance } from "fastify";
import { operations, publicRoutes, tags } from "./areas.ts";
import type { App } from "./context.ts";
import type { Json } from "./http/json-schema.ts";
import { buildOpenApi } from "./http/openapi.ts";
import { llmsFull, llmsIndex } from "./llms.ts";
import { mountReferencePage } from "./reference-page.ts";
import { VERSION } from "./version.ts";

/** The OpenAPI document of this version. */
export function apiDocument(serverUrl: string): Json {
  return buildOpenApi(operations, publicRoutes, { version: VERSION, serverUrl, tags });
}

/** The API described for programs, people and agents, generated from the operations, served from here alone. */
export function mountDocumentation(fastify: FastifyInstance, app: App): void {
  const serverUrl = app.config.publicUrl ?? "/";
  const serve = (path: string, type: string, make: () => string) => {
    let text: string | undefined;
    fastify.get(path, async (_request, reply) => {
      text ??= make();
      return reply.headers({ "x-content-type-options": "nosniff" }).type(`${type}; charset=utf-8`).send(text);
    });
  };
  serve("/api/v1/openapi.json", "application/json", () => JSON.stringify(apiDocument(serverUrl)));
  serve("/llms.txt", "text/plain", () => llmsIndex(operations, publicRoutes, tags));
  serve("/llms-full.txt", "text/plain", () =>
    llmsFull(operations, publicRoutes, tags, apiDocument(serverUrl)),
  );
  mountReferencePage(fastify);
}

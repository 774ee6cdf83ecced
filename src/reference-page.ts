import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { FastifyInstance } from "fastify";

const ASSETS = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
} as const;

/** The page runs our own files only and talks to this server only. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `GET /docs`: the reference for people, with try-it; Swagger UI from our own disk, without a build or a CDN. */
export function mountReferencePage(fastify: FastifyInstance): void {
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  const page = (path: string, type: string, body: string) =>
    fastify.get(path, async (_request, reply) =>
      reply
        .headers({
          "content-security-policy": PAGE_POLICY,
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer",
        })
        .type(type)
        .send(body),
    );
  page("/docs", "text/html; charset=utf-8", PAGE);
  page("/docs/start.js", "text/javascript; charset=utf-8", SCRIPT);
  page("/docs/style.css", "text/css; charset=utf-8", STYLE);
  // Whoever opens the address that the server prints wants to see something.
  fastify.get("/", async (_request, reply) => reply.redirect("/docs"));
  for (const [name, type] of Object.entries(ASSETS)) {
    fastify.get(`/docs/${name}`, async (_request, reply) =>
      reply
        .headers({ "cache-control": "public, max-age=86400", "x-content-type-options": "nosniff" })
        .type(type)
        .send(await readFile(join(folder, name))),
    );
  }
}

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>LumenOne API reference</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<header><strong>LumenOne</strong><span>API reference</span><nav><a href="/api/v1/openapi.json">OpenAPI</a><a href="/llms-full.txt">Plain text</a><a href="/docs/test-call">Test call</a></nav></header>
<main id="reference"><noscript>This page needs JavaScript. The same in plain text: <a href="/llms-full.txt">llms-full.txt</a>.</noscript></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script type="module" src="/docs/start.js"></script>
</body>
</html>
`;

/** The key stays in the page's memory: it is not kept in the browser after the page is closed. */
const SCRIPT = `const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();
const spec = await (await fetch("/api/v1/openapi.json")).json();
// The page may talk to its own origin only, whatever address the document gives to others.
spec.servers = [{ url: location.origin }];
SwaggerUIBundle({
  spec,
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
`;

const STYLE = `html { scrollbar-gutter: stable; }
body { margin: 0; background: #fafafa; }
html.dark-mode body { background: #1c2022; }
header { display: flex; flex-wrap: wrap; gap: .6rem; align-items: baseline; padding: .9rem 1.25rem; font: 16px/1.4 system-ui, sans-serif;
  color: #1f2933; border-bottom: 1px solid #d9dee3; background: #fff; }
header strong { font-size: 1.15rem; }
header nav { margin-left: auto; display: flex; gap: 1.1rem; }
header a { color: #0b5cad; }
html.dark-mode header { color: #e6edf3; background: #15191b; border-color: #333b40; }
html.dark-mode header a { color: #7cb7ff; }
#reference { max-width: 1200px; margin: 0 auto; padding: 0 .5rem 4rem; }
.swagger-ui .info { margin: 1.75rem 0 1rem; }
.swagger-ui .scheme-container { margin: 0 0 1rem; padding: 1rem 0; box-shadow: none; background: none; }
noscript { display: block; padding: 2rem; font: 16px/1.5 system-ui, sans-serif; }
`;

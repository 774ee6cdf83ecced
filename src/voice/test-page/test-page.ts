import { readFileSync } from "node:fs";
import { joinBrowserScript } from "../../http/browser-script.ts";
import type { PublicAnswer, PublicRoute } from "../../http/public-route.ts";

/** The page runs our own files only and talks to this server only. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT_FILES = ["page", "speech", "line", "start"] as const;

/** `GET /docs/test-call`: a page on which an operator calls an assistant as a caller would, in text. */
export const testPageRoutes: readonly PublicRoute[] = [
  file("showTestCallPage", "/docs/test-call", "text/html; charset=utf-8", () => PAGE),
  file("getTestCallStyle", "/docs/test-call/style.css", "text/css; charset=utf-8", () =>
    readFileSync(new URL("./style.css", import.meta.url), "utf8"),
  ),
  file("getTestCallScript", "/docs/test-call/page.js", "text/javascript; charset=utf-8", () =>
    joinBrowserScript(SCRIPT_FILES.map((name) => new URL(`./browser/${name}.ts`, import.meta.url))),
  ),
];

/** Made when it is first asked for: a process that serves none does no work. */
function file(id: string, path: PublicRoute["path"], type: string, make: () => string): PublicRoute {
  let body: string | undefined;
  return {
    id,
    method: "GET",
    path,
    handle(): PublicAnswer {
      body ??= make();
      return {
        status: 200,
        headers: {
          "content-type": type,
          "content-security-policy": PAGE_POLICY,
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer",
          "cache-control": "no-cache",
        },
        body,
      };
    },
  };
}

const KEYS = [..."123456789*0#"];
/** How a screen reader should name signs. */
const NAMED: Readonly<Record<string, string>> = { "*": "star", "#": "hash" };

/** The key stays in the page's memory: it is not kept in the browser after the page is closed. */
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>LumenOne test call</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/test-call/style.css">
<script type="module" src="/docs/test-call/page.js"></script>
</head>
<body>
<header><strong>LumenOne</strong><span>Test call</span><nav><a href="/docs">API reference</a></nav></header>
<main>
<h1>Call an assistant</h1>
<p class="lead">Talk to a workspace’s voice assistant as a caller would, in text and without a carrier. The call runs through
the same engine as on the telephone, and is in the call log. Nobody is dialled.</p>
<noscript><p>This page needs JavaScript.</p></noscript>
<p id="problem" class="problem" role="alert"></p>
<form id="setup" class="fields">
<label for="key">API key</label>
<input id="key" class="text" type="password" autocomplete="off" spellcheck="false" required aria-describedby="key-hint">
<small id="key-hint">With the scope voice:write. It is not kept when this page is closed.</small>
<label for="account">Account id</label>
<input id="account" class="text" autocomplete="off" spellcheck="false" required>
<label for="workspace">Workspace</label>
<input id="workspace" class="text" autocomplete="off" autocapitalize="none" spellcheck="false" required aria-describedby="workspace-hint">
<small id="workspace-hint">Its originalSlug, such as support.</small>
<button id="dial" class="primary dial">Call</button>
</form>
<p id="status" role="status"></p>
<section id="call" aria-label="The call" hidden>
<div id="transcript" class="transcript" role="log" aria-live="polite" aria-label="Transcript" tabindex="0"></div>
<div id="controls">
<form id="say" class="fields">
<label for="words">What the caller says</label>
<div class="row"><input id="words" class="text words" autocomplete="off" maxlength="4000"><button class="primary">Say</button></div>
</form>
<div class="row">
<button id="interrupt" type="button" aria-keyshortcuts="Escape">Interrupt <kbd>Esc</kbd></button>
<button id="hang-up" type="button">Hang up</button>
<label class="check"><input id="instant" class="tick" type="checkbox"> Show words at once</label>
</div>
<fieldset id="keys"><legend>Keys</legend>
${KEYS.map((key) => `<button class="digit" type="button" value="${key}" aria-label="Press ${NAMED[key] ?? key}">${key}</button>`).join("\n")}
</fieldset>
</div>
</section>
<section id="outcome" aria-labelledby="outcome-title" hidden>
<h2 id="outcome-title" tabindex="-1">The call has ended</h2>
<dl>
<dt>Reason</dt><dd><code id="reason"></code></dd>
<dt>Ended by</dt><dd id="by"></dd>
<dt>What to do</dt><dd id="remedy"></dd>
<dt>In the call log</dt><dd><code id="call-id"></code></dd>
</dl>
<button id="again" type="button">Call again</button>
</section>
</main>
</body>
</html>
`;

import { readFileSync } from "node:fs";
import { browserScript } from "./browser-script.ts";
import { type Html, html, jsonForScript } from "./html.ts";
import { textsOf } from "./language.ts";
import { type PageData, SCRIPT_TEXTS, type ScriptTexts } from "./page-data.ts";
import { gonePanel, type Offer, panels } from "./panels.ts";
import type { Texts } from "./texts/en.ts";

const STYLE: Html = { html: readFileSync(new URL("./style.css", import.meta.url), "utf8") };

/**
 * The whole page.
 *
 * @param offer null: the link opens nothing
 * @param sdkUrl Meta's script, where the page opens their popup
 */
export function renderPage(
  data: Omit<PageData, "texts">,
  offer: Offer | null,
  nonce: string,
  sdkUrl: string | null,
): string {
  const texts = textsOf(data.language);
  const page: PageData = { ...data, texts: scriptTexts(texts) };
  const [title, text] = endOf(texts, data);
  return html`<!doctype html>
<html lang="${data.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${data.dead === null ? texts.title : title}</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${STYLE}</style>
${sdkUrl === null ? "" : html`<script nonce="${nonce}" src="${sdkUrl}" async defer crossorigin="anonymous" id="meta-sdk"></script>`}
</head>
<body>
<main>
${MARK}
<noscript><p class="note">${texts.noScript}</p></noscript>
${offer === null ? [] : panels(texts, offer, data.panel)}
${gonePanel(title, text, data.panel)}
<p role="status" aria-live="polite" class="unseen" data-part="spoken"></p>
</main>
<script type="application/json" id="page-data">${jsonForScript(page)}</script>
<script type="module" nonce="${nonce}">${{ html: browserScript() }}</script>
</body>
</html>
`.html;
}

/** What became of the link. A used one did what it was for, as a rule. */
function endOf(texts: Texts, { dead, outcome }: Omit<PageData, "texts">): [title: string, text: string] {
  if (dead === "used" && outcome?.success === true) {
    if (outcome.needs === "wait") return [texts.waitingTitle, texts.waitingText];
    const number = outcome.display_phone_number;
    return [
      texts.connectedTitle,
      number === null
        ? texts.connectedPlain
        : texts.connectedText.replace("{number}", () => unbroken(number)),
    ];
  }
  const end = dead ?? "misplaced";
  return [texts[`${end}Title`], texts[`${end}Text`]];
}

/** A phone number stays in one line. */
function unbroken(number: string): string {
  return number.replaceAll(" ", "\u00a0");
}

function scriptTexts(texts: Texts): ScriptTexts {
  const wanted: readonly string[] = SCRIPT_TEXTS;
  return asScriptTexts(Object.fromEntries(Object.entries(texts).filter(([name]) => wanted.includes(name))));
}

/** Holds, since {@link SCRIPT_TEXTS} names texts that every language has. */
function asScriptTexts(texts: Record<string, string>): ScriptTexts {
  return texts as ScriptTexts;
}

/** Two that speak to one another: the people's messages, and the light that answers. */
const MARK = html`<svg class="mark" viewBox="0 0 128 44" aria-hidden="true"><path class="bubble" d="M22 4a18 18 0 1 1-8.6 33.8L4 40l2.3-9A18 18 0 0 1 22 4Z"/><path class="lines" d="M14.5 19h15M14.5 25.5h9.5"/><path class="link" d="M50 22h28.5"/><circle class="light" cx="106" cy="22" r="18"/><path class="rays" d="M106 12.5l2.4 7.1 7.1 2.4-7.1 2.4-2.4 7.1-2.4-7.1-7.1-2.4 7.1-2.4Z"/></svg>`;

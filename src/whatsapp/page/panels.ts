import { type Html, html } from "./html.ts";
import type { Panel } from "./page-data.ts";
import type { Texts } from "./texts/en.ts";

/** What the first panel says about this link. */
export interface Offer {
  account: string;
  workspace: string;
  expectedPhone: string | null;
  mode: "new" | "reauth" | "coexistence";
}

/**
 * All panels; the script shows one of them at a time and fills in what only it knows (`data-fill`).
 *
 * @param first the one that is seen before the script runs
 */
export function panels(texts: Texts, offer: Offer, first: Panel | null): readonly Html[] {
  return [
    readyPanel(texts, offer, first === "ready"),
    panel("signup", texts.signupTitle, [
      html`<p>${texts.signupText}</p>`,
      html`<div class="aside" data-part="silent" hidden><p>${texts.signupSilent}</p>
<div class="actions"><button type="button" class="quiet" data-do="start">${texts.startAgain}</button>${newTabLink(texts)}</div></div>`,
    ]),
    panel("elsewhere", texts.elsewhereTitle, [html`<p>${texts.elsewhereText}</p>`]),
    workingPanel(texts),
    choosePanel(texts),
    digitsPanel("pin", texts.pinTitle, texts.pinLabel, texts.pinAction, html`<p>${texts.pinText}</p>`),
    digitsPanel("verify", texts.verifyTitle, texts.verifyLabel, texts.verifyAction, verifyChoice(texts)),
    panel("waiting", texts.waitingTitle, [
      html`<p data-fill="waiting">${texts.waitingText}</p>`,
      html`<div data-part="check">${action(texts.checkAgain, "resume", "quiet")}</div>`,
    ]),
    panel("connected", texts.connectedTitle, [
      html`<p data-fill="connected">${texts.connectedPlain}</p>`,
      html`<p class="note" data-part="payment" hidden>${texts.connectedPayment}</p>`,
      html`<p class="small" data-part="close">${texts.connectedClose}</p>`,
    ]),
    panel("problem", texts.problemTitle, [
      html`<p data-fill="problem"></p>`,
      html`<p class="small" data-fill="reference" hidden></p>`,
      html`<div class="actions"><button type="button" class="main" data-do="resume" data-part="retry">${texts.tryAgain}</button><button type="button" class="main" data-do="start" data-part="restart" hidden>${texts.startAgain}</button>${newTabLink(texts)}</div>`,
    ]),
  ];
}

/** The one panel of a link that opens nothing; on other pages it waits for the end. */
export function gonePanel(title: string, text: string, first: Panel | null): Html {
  return panel("gone", title, [html`<p data-fill="gone">${text}</p>`], first === "gone");
}

function readyPanel(texts: Texts, offer: Offer, isFirst: boolean): Html {
  const isCoexistence = offer.mode === "coexistence";
  const grants = [
    texts.grantMessages,
    texts.grantManage,
    texts.grantStatus,
    ...(isCoexistence ? [texts.grantCoexistence] : []),
  ];
  const title = offer.mode === "reauth" ? texts.titleAgain : texts.title;
  const content = [
    html`<p>${texts.intro}</p>`,
    html`<dl>${[
      fact(texts.account, "account", offer.account),
      fact(texts.workspace, "workspace", offer.workspace),
      ...(offer.expectedPhone === null ? [] : [fact(texts.number, "expected", offer.expectedPhone)]),
    ]}</dl>`,
    html`<h2>${texts.grantsTitle}</h2>`,
    html`<ul class="grants">${grants.map((grant) => html`<li>${TICK}<span>${grant}</span></li>`)}<li class="no">${CROSS}<span>${texts.grantNothingElse}</span></li></ul>`,
    html`<p class="note" data-fill="caution" hidden></p>`,
    html`<p class="note" data-fill="notice" hidden></p>`,
    action(texts.start, "start", "main"),
    html`<div class="actions" data-part="blocked" hidden>${newTabLink(texts)}</div>`,
    html`<p class="small">${isCoexistence ? texts.needsCoexistence : texts.needs}</p>`,
    html`<p class="small" data-fill="valid" hidden></p>`,
  ];
  return panel("ready", title, content, isFirst);
}

function workingPanel(texts: Texts): Html {
  return panel("working", texts.workingTitle, [
    html`<ol class="steps"><li class="done">${TICK}<span>${texts.stepSignup}</span></li><li aria-current="step"><span class="ring"></span><span>${texts.stepSetup}</span></li><li><span class="dot"></span><span>${texts.stepReady}</span></li></ol>`,
    html`<p class="small" data-fill="working">${texts.workingText}</p>`,
  ]);
}

/** The numbers are put in by the script. */
function choosePanel(texts: Texts): Html {
  return panel("choose", texts.chooseTitle, [
    html`<p id="choose-text">${texts.chooseText}</p>`,
    html`<form data-form="choose"><div role="radiogroup" aria-describedby="choose-text" aria-labelledby="title-choose" data-part="numbers" class="numbers"></div>
<button class="main">${texts.chooseAction}</button></form>`,
  ]);
}

function verifyChoice(texts: Texts): Html {
  return html`<p data-fill="verify"></p><div class="actions" data-part="ask"><button type="button" class="quiet" data-do="sms">${texts.verifySms}</button><button type="button" class="quiet" data-do="voice">${texts.verifyVoice}</button></div><p data-part="sent" hidden>${texts.verifySent}</p>`;
}

function digitsPanel(name: "pin" | "verify", title: string, label: string, act: string, before: Html): Html {
  return panel(name, title, [
    before,
    html`<form data-form="${name}" novalidate><label for="${name}-digits">${label}</label>
<input id="${name}-digits" name="digits" inputmode="numeric" autocomplete="${name === "pin" ? "off" : "one-time-code"}" maxlength="6" spellcheck="false" aria-describedby="${name}-wrong">
<p class="wrong" id="${name}-wrong" data-fill="${name}-wrong" hidden></p>
<button class="main">${act}</button></form>`,
  ]);
}

function panel(name: Panel, title: string, content: readonly Html[], isShown = false): Html {
  return html`<section data-panel="${name}" ${{ html: isShown ? "" : "hidden" }} aria-labelledby="title-${name}">
<h1 id="title-${name}" tabindex="-1">${title}</h1>
${content}
</section>
`;
}

function fact(label: string, fill: string, value: string): Html {
  return html`<div><dt>${label}</dt><dd data-fill="${fill}">${value}</dd></div>`;
}

function action(label: string, does: string, look: "main" | "quiet"): Html {
  return html`<button type="button" class="${look}" data-do="${does}">${label}</button>`;
}

/** A link and no button, so that the browser's own ways of opening one work too. */
function newTabLink(texts: Texts): Html {
  return html`<a class="quiet" data-do="new-tab" target="_blank" rel="noopener" hidden>${texts.newTab}</a>`;
}

const TICK = icon("tick", "M4 10.5l4 4 8-9");
const CROSS = icon("cross", "M5.5 5.5l9 9m0-9l-9 9");

function icon(name: string, path: string): Html {
  return html`<svg class="${name}" viewBox="0 0 20 20" aria-hidden="true"><path d="${path}"/></svg>`;
}

import type { Dead, OutcomeData } from "../page-data.ts";
import { type Away, comeBack, goToDialog, returnUrl, takeFromAddress } from "./new-tab.ts";
import { complain, showOutcome, showProblem, tellConnected } from "./outcome.ts";
import { fill, isFramed, page, reveal, say, show, speak } from "./page.ts";
import { tellHeight, tellParent } from "./parent.ts";
import { prepareSdk, type SignupEnd, signUp } from "./popup.ts";
import { getStatus, type Link, postOnboard, sleep } from "./server.ts";

const POLL_MS = 3_000;
/** Meta's script should be here by then. */
const SDK_MS = 8_000;
/** Somebody else, perhaps another tab, is at it: for about as long as the server lets one hold the link. */
const BUSY_TRIES = 25;

// First of all, before anything can look at the address.
const { values: taken, isKept } = takeFromAddress(
  "token",
  "pass",
  "code",
  "state",
  "error",
  "error_code",
  "error_reason",
  "error_description",
);
const away = whereFrom();
let pass = page.pass;
let stopSignup = () => {};
let watching = new AbortController();
let retryTimer = 0;

begin();

/** What this page is to finish: its own link, or what the tab left behind when it went to Meta. */
function whereFrom(): Away | null {
  if (page.kind === "return") return comeBack(taken.get("state") ?? "");
  const token = taken.get("token");
  if (token === null || page.meta === null) return null;
  const base = window.location.pathname.replace(/[^/]*$/, "");
  return { link: { token, base }, account: page.account, workspace: page.workspace, meta: page.meta };
}

function begin(): void {
  listenToButtons();
  tellParent("whatsapp.ready");
  tellHeight();
  const isPlaced = isFramed ? page.parentOrigin !== null : page.topLevel;
  if (page.dead !== null) beginDead(page.dead);
  else if (!isPlaced) end("misplaced", null);
  else if (page.kind === "return") beginReturn();
  else beginSignup();
}

/** A link that opens nothing (any more): the server wrote what there is to say. */
function beginDead(why: Dead): void {
  // After a reload the address is without its token, which the tab still has.
  if (why === "unknown" && isKept && taken.has("token")) {
    window.location.replace(`${window.location.pathname}?${taken}`);
    return;
  }
  show("gone");
  if (why === "used" && page.outcome?.success === true) tellConnected(page.outcome);
  else tellParent("whatsapp.error", { code: `link_${why}` });
}

function beginSignup(): void {
  if (!isFramed) fill("caution", say("onlyIfYours", { account: page.account }));
  tellValidity();
  if (page.outcome === null) show("ready");
  else present(page.outcome);
  if (!isFramed || page.meta === null) return;
  prepareSdk(page.meta);
  window.setTimeout(() => window.FB === undefined && offerNewTab("blocked"), SDK_MS);
}

/** Meta led back here, with a code or without. */
function beginReturn(): void {
  if (away === null) {
    showProblem("foreignReturn", null);
    return;
  }
  fill("account", away.account);
  fill("workspace", away.workspace);
  const code = taken.get("code");
  if (code === null) showProblem("cancelled", "start");
  else void onboard({ code, redirect_uri: returnUrl() });
}

function tellValidity(): void {
  if (page.expiresInMs === null) return;
  const expires = new Date(performance.timeOrigin + page.expiresInMs);
  const time = new Intl.DateTimeFormat(page.language, { timeStyle: "short" }).format(expires);
  fill("valid", say("validUntil", { time }));
}

function listenToButtons(): void {
  const actions: Readonly<Record<string, () => void>> = {
    start,
    resume: () => void onboard({}),
    sms: () => void requestCode("SMS"),
    voice: () => void requestCode("VOICE"),
    "new-tab": goElsewhere,
  };
  document.addEventListener("click", ({ target }) => {
    const element = target instanceof Element ? target.closest<HTMLElement>("[data-do]") : null;
    actions[element?.dataset.do ?? ""]?.();
  });
  document.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.target instanceof HTMLFormElement) submit(event.target);
  });
}

function submit(form: HTMLFormElement): void {
  const fields = new FormData(form);
  const name = form.dataset.form;
  if (name === "choose") {
    void onboard({ phone_number_id: fields.get("number") });
    return;
  }
  const field = name === "pin" ? "pin" : "verify";
  const digits = String(fields.get("digits")).replace(/\s/g, "");
  form.reset();
  if (!/^\d{6}$/.test(digits)) complain(field, say("sixDigits"));
  else void onboard(field === "pin" ? { pin: digits } : { verification: { code: digits } });
}

/** In a frame by Meta's window, in a tab of its own by that tab. Inside the click: nothing is awaited before. */
function start(): void {
  if (away === null) return;
  stopSignup();
  watching.abort();
  // Nobody shall go through all of Meta's steps for a link that is over at their end.
  if (page.expiresInMs !== null && performance.now() > page.expiresInMs) {
    end("expired", null);
    return;
  }
  if (!isFramed) {
    if (!goToDialog(away)) showProblem("noStorage", "start");
    return;
  }
  fill("notice", "");
  reveal("silent", false);
  show("signup");
  stopSignup = signUp(away.meta, endSignup, () => offerNewTab("silent"));
}

function endSignup(how: SignupEnd): void {
  switch (how.kind) {
    case "code":
      void onboard({ code: how.code, ...(how.finish && { event: how.finish.event, ...how.finish.ids }) });
      break;
    case "cancel":
      show("ready");
      fill("notice", say("cancelled"));
      speak(say("cancelled"));
      offerNewTab("blocked");
      tellParent("whatsapp.cancelled");
      break;
    case "error":
      showProblem("metaReported", "start", { code: "meta_reported", reference: how.reference });
      break;
    case "dead":
      showProblem("popupDead", null, { code: "popup_blocked" });
      offerNewTab();
      break;
    case "missing":
      showProblem("sdkMissing", null, { code: "sdk_missing" });
      offerNewTab();
      break;
    case "no_code":
      showProblem("noCode", "start", { code: "no_code" });
      offerNewTab();
  }
}

/** Asks the server to begin, or to go on where it stopped. */
async function onboard(body: Readonly<Record<string, unknown>>): Promise<void> {
  if (away === null) return;
  watching.abort();
  window.clearTimeout(retryTimer);
  show("working");
  for (let tries = 0; tries < BUSY_TRIES; tries += 1) {
    const reply = await postOnboard(away.link, body);
    if (reply === null) {
      showProblem("offline", "resume", { code: "offline" });
      return;
    }
    if (reply.outcome?.error?.code !== "in_progress") {
      await takeReply(away.link, reply.status, reply.outcome, "pin" in body);
      return;
    }
    fill("working", say("busy"));
    await sleep((reply.outcome.retry_after_seconds ?? 3) * 1_000);
  }
  showProblem("busy", "resume", { code: "in_progress" });
}

async function takeReply(
  link: Link,
  status: number,
  outcome: OutcomeData | null,
  isRepeated: boolean,
): Promise<void> {
  if (status === 404) end("unknown", null);
  else if (status === 410) {
    const now = await getStatus(link);
    end(now === null || now.state === "valid" ? "expired" : now.state, now?.outcome ?? null);
  } else if (outcome === null) showProblem("unexpected", "resume", { code: "unexpected" });
  else present(outcome, isRepeated);
}

function present(outcome: OutcomeData, isRepeated = false): void {
  const seconds = showOutcome(outcome, isRepeated);
  if (seconds !== null) retryTimer = window.setTimeout(() => void onboard({}), seconds * 1_000);
}

async function requestCode(request: "SMS" | "VOICE"): Promise<void> {
  await onboard({ verification: { request } });
  document.querySelector<HTMLInputElement>("#verify-digits")?.focus();
}

/** The link opens nothing more; what came of it is shown. */
function end(why: Dead, outcome: OutcomeData | null): void {
  watching.abort();
  stopSignup();
  if (why === "used" && outcome?.success === true) {
    showOutcome(outcome);
    return;
  }
  fill("gone", say(`${why}Text`));
  show("gone", say(`${why}Title`));
  tellParent("whatsapp.error", { code: `link_${why}` });
}

/**
 * The same link in a tab of its own: shown, kept fresh, and watched for what comes of it.
 *
 * @param part of the panel, where it is hidden otherwise
 */
function offerNewTab(part?: string): void {
  if (away === null || !isFramed) return;
  if (part !== undefined) reveal(part);
  freshenLinks(away.link);
  void watch(away.link);
}

function freshenLinks(link: Link): void {
  const query = new URLSearchParams({ token: link.token, pass: pass ?? "", lang: page.language });
  for (const element of document.querySelectorAll<HTMLAnchorElement>('[data-do="new-tab"]')) {
    element.href = `${link.base}connect-page?${query}`;
    element.hidden = false;
  }
}

/** The browser follows the link; this page waits for what comes of it. */
function goElsewhere(): void {
  stopSignup();
  show("elsewhere");
}

async function watch(link: Link): Promise<void> {
  watching.abort();
  const mine = new AbortController();
  watching = mine;
  while (!mine.signal.aborted) {
    await sleep(POLL_MS);
    const status = mine.signal.aborted ? null : await getStatus(link);
    if (mine.signal.aborted || status === null) continue;
    pass = status.pass ?? pass;
    freshenLinks(link);
    if (status.state !== "valid") end(status.state, status.outcome);
  }
}

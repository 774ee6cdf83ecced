import type { MetaData } from "../page-data.ts";
import { isMetaOrigin, loginOptions, readSignupMessage, type SignupMessage } from "./protocol.ts";

interface LoginAnswer {
  authResponse?: { code?: string } | null;
}

interface FacebookSdk {
  init(options: Record<string, unknown>): void;
  login(done: (answer: LoginAnswer) => void, options: Record<string, unknown>): void;
}

declare global {
  interface Window {
    FB?: FacebookSdk;
    fbAsyncInit?: () => void;
  }
}

/**
 * How a sign-up in Meta's window ended.
 * - `code`: with what the server needs; `finish` is missing when Meta did not say which number it was
 * - `dead`: the window cannot talk to this page; `missing`: Meta's script is not here
 * - `no_code`: Meta finished and gave no code, which happens
 */
export type SignupEnd =
  | { kind: "code"; code: string; finish: Extract<SignupMessage, { kind: "finish" }> | null }
  | { kind: "cancel" | "dead" | "missing" | "no_code" }
  | { kind: "error"; reference: string | null };

/** Meta's code and Meta's message come in either order. The code lives for 30 seconds, so it waits this long at most. */
const WAIT_FOR_OTHER_MS = 1_500;
/** After the window was closed, or this page came to the front again. */
const SILENCE_MS = 4_000;

/** Ready before anybody clicks: the popup must open inside the click. */
export function prepareSdk(meta: MetaData): void {
  const init = () =>
    window.FB?.init({ appId: meta.appId, autoLogAppEvents: true, xfbml: true, version: meta.version });
  if (window.FB === undefined) window.fbAsyncInit = init;
  else init();
}

/**
 * Opens Meta's window; to be called inside the click, with nothing awaited before.
 *
 * @param onSilence the window seems to be gone, but may not be: it is listened to all the same
 * @returns ends the listening
 */
export function signUp(meta: MetaData, onEnd: (end: SignupEnd) => void, onSilence: () => void): () => void {
  const over = new AbortController();
  let code: string | null = null;
  let message: SignupMessage | null = null;
  const end = (how: SignupEnd) => {
    if (over.signal.aborted) return;
    over.abort();
    onEnd(how);
  };
  const settle = (isLast: boolean) => {
    if (code !== null && (isLast || message?.kind === "finish")) {
      end({ kind: "code", code, finish: message?.kind === "finish" ? message : null });
    } else if (isLast) {
      if (message?.kind === "finish") end({ kind: "no_code" });
      else end(message ?? { kind: "cancel" });
    }
  };
  const wait = () => window.setTimeout(settle, WAIT_FOR_OTHER_MS, true);

  const listen = ({ origin, data }: MessageEvent) => {
    const heard = isMetaOrigin(origin, meta.messageOrigins) ? readSignupMessage(data) : null;
    if (heard === null) return;
    message = heard;
    settle(false);
    // A finished sign-up without its code is waited for: the window may still be open on its last page.
    if (heard.kind !== "finish") wait();
  };
  window.addEventListener("message", listen, { signal: over.signal });

  const popup = openWindow(meta, (answer) => {
    code = answer.authResponse?.code ?? null;
    settle(false);
    wait();
  });
  if (popup === "missing" || popup === "dead") end({ kind: popup });
  else watchForSilence(popup, onSilence, over.signal);
  return () => over.abort();
}

/** Meta's script opens the window itself and does not say whether it could. */
function openWindow(
  meta: MetaData,
  done: (answer: LoginAnswer) => void,
): Window | "missing" | "dead" | undefined {
  if (window.FB === undefined) return "missing";
  const original = window.open;
  let opened: Window | null | undefined;
  window.open = (...details) => {
    opened = original.apply(window, details);
    return opened;
  };
  try {
    window.FB.login(done, loginOptions(meta));
  } finally {
    window.open = original;
  }
  return opened === null ? "dead" : opened;
}

function watchForSilence(popup: Window | undefined, onSilence: () => void, over: AbortSignal): void {
  let timer = 0;
  const expect = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(onSilence, SILENCE_MS);
  };
  // A window that opens takes the focus; when it comes back, the window is closed or lies behind.
  window.addEventListener("focus", expect, { signal: over });
  const watch = window.setInterval(() => {
    if (popup?.closed !== true) return;
    window.clearInterval(watch);
    expect();
  }, 500);
  over.addEventListener("abort", () => {
    window.clearTimeout(timer);
    window.clearInterval(watch);
  });
}

import type { MetaData } from "../page-data.ts";
import { page } from "./page.ts";
import { asRecord, dialogUrl } from "./protocol.ts";
import type { Link } from "./server.ts";

/** What a tab keeps while it is away at Meta's. */
export interface Away {
  link: Link;
  account: string;
  workspace: string;
  meta: MetaData;
}

const KEY = "lumenone:whatsapp:";
const CONNECT_PAGE = /\/api\/v1\/workspace\/[^/]*\/whatsapp\/connect-page$/;
const RETURN_PATH = "/connect/whatsapp/return";

/**
 * Leads this tab to Meta's dialog. The link's token stays behind in this tab, under a random `state` that Meta brings
 * back, so that nobody can make us finish a sign-up that was begun elsewhere.
 *
 * @returns false: the browser lets this page keep nothing, and it stays
 */
export function goToDialog(away: Away): boolean {
  const random = crypto.getRandomValues(new Uint8Array(16));
  const state = `${page.language}.${[...random].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  try {
    sessionStorage.setItem(KEY + state, JSON.stringify(away));
  } catch {
    return false;
  }
  window.location.assign(dialogUrl(away.meta, returnUrl(), state));
  return true;
}

/** Whatever stands before our own paths, where the server lies below one, stands before both. */
export function returnUrl(): string {
  const { origin, pathname } = window.location;
  return `${origin}${pathname.replace(CONNECT_PAGE, RETURN_PATH)}`;
}

/** What this tab left behind under that state; null when it was never here, or may keep nothing. */
export function comeBack(state: string): Away | null {
  try {
    const kept = asRecord(JSON.parse(sessionStorage.getItem(KEY + state) ?? "null"));
    return kept === undefined ? null : asAway(kept);
  } catch {
    return null;
  }
}

/** Nobody but {@link goToDialog} writes there. */
function asAway(kept: unknown): Away {
  return kept as Away;
}

/** What the address of this page held. */
export interface Taken {
  values: URLSearchParams;
  /** It was held before a reload; the address has been without it since. */
  isKept: boolean;
}

/**
 * Takes secrets out of the address bar, and with it out of the browser's history. They stay with the entry of this
 * tab's history: a reload needs them, and nothing else sees it.
 */
export function takeFromAddress(...names: string[]): Taken {
  const url = new URL(window.location.href);
  const isKept = !names.some((name) => url.searchParams.has(name));
  const kept = asRecord(window.history.state)?.taken;
  const values = isKept
    ? new URLSearchParams(typeof kept === "string" ? kept : "")
    : new URLSearchParams(url.searchParams);
  for (const name of names) url.searchParams.delete(name);
  // Facebook's dialog adds `#_=_`.
  url.hash = "";
  window.history.replaceState({ taken: values.toString() }, "", url);
  return { values, isKept };
}

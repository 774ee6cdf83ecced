import type { OutcomeData, StatusData } from "../page-data.ts";
import { asRecord } from "./protocol.ts";

/** What a link consists of, kept out of the address bar. */
export interface Link {
  token: string;
  /** Ends in `/`: the addresses of the link's workspace are below it. */
  base: string;
}

export interface Reply {
  status: number;
  outcome: OutcomeData | null;
}

/** A code from Meta lives for 30 seconds, so what the network swallows is sent again at once; the server answers a code that it has seen with what came of it. */
const PAUSES_MS = [500, 1_500, 3_000];

/** @returns null when the server could not be reached */
export async function postOnboard(
  link: Link,
  body: Readonly<Record<string, unknown>>,
): Promise<Reply | null> {
  for (const pause of [...PAUSES_MS, null]) {
    try {
      const response = await call(link, "onboard", {
        method: "POST",
        headers: { authorization: `Bearer ${link.token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return { status: response.status, outcome: asOutcome(await response.json()) };
    } catch {
      if (pause !== null) await sleep(pause);
    }
  }
  return null;
}

/** @returns null when the server could not be reached, or knows no such link */
export async function getStatus(link: Link): Promise<StatusData | null> {
  try {
    const response = await call(link, "connect-status", {
      headers: { authorization: `Bearer ${link.token}` },
    });
    return response.ok ? asStatus(await response.json()) : null;
  } catch {
    return null;
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function call(link: Link, path: string, init: RequestInit): Promise<Response> {
  return window.fetch(`${link.base}${path}`, { ...init, credentials: "omit", cache: "no-store" });
}

/** Our own server answers so; what carries no `needs` is another kind of refusal. */
function asOutcome(body: unknown): OutcomeData | null {
  return asRecord(body)?.needs === undefined ? null : (body as OutcomeData);
}

/** Our own server answers so. */
function asStatus(body: unknown): StatusData {
  return body as StatusData;
}

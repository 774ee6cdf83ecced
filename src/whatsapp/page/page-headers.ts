import { randomBytes } from "node:crypto";
import type { MetaConfig } from "../../config.ts";

/** Where Meta's own pages and scripts live when the settings say nothing else. */
const FACEBOOK = "https://*.facebook.com";
/** Nothing else gets into a header, whatever a list of origins may hold one day. */
const ORIGIN = /^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/;

export function newNonce(): string {
  return randomBytes(16).toString("base64url");
}

/**
 * Of every answer that is a page. No X-Frame-Options, which knows no lists and which some browsers put before
 * `frame-ancestors`, and no Cross-Origin-Opener-Policy, which would cut the popup off.
 *
 * @param framedBy origins that may show it in a frame; none of them: nobody may
 * @param meta null: the page does not talk to Meta
 */
export function pageHeaders(
  nonce: string,
  framedBy: readonly string[],
  meta: MetaConfig | null,
): Record<string, string> {
  return {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": contentSecurityPolicy(nonce, framedBy, meta),
    "referrer-policy": "strict-origin",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
  };
}

function contentSecurityPolicy(nonce: string, framedBy: readonly string[], meta: MetaConfig | null): string {
  const sdk = meta === null ? [] : [new URL(meta.sdkUrl).origin];
  const dialogs = meta === null ? [] : (meta.dialogOrigins ?? [FACEBOOK]);
  const ancestors = framedBy.filter((origin) => ORIGIN.test(origin));
  const rules: readonly (readonly [string, readonly string[]])[] = [
    ["default-src", ["'none'"]],
    ["script-src", [`'nonce-${nonce}'`, ...sdk]],
    ["connect-src", ["'self'", ...dialogs, ...sdk]],
    ["img-src", ["'self'", "data:", ...dialogs]],
    ["style-src", [`'nonce-${nonce}'`]],
    ["frame-src", dialogs.length === 0 ? ["'none'"] : dialogs],
    ["base-uri", ["'none'"]],
    ["form-action", ["'none'"]],
    ["frame-ancestors", ancestors.length === 0 ? ["'none'"] : ancestors],
  ];
  return rules.map(([name, sources]) => [name, ...new Set(sources)].join(" ")).join("; ");
}

import type { Config } from "../config.ts";
import { encodeSlug } from "../http/schemas.ts";

/** Where the outside reaches us; without `PUBLIC_URL`, this machine alone does. */
export function publicUrl(config: Config): string {
  return config.publicUrl ?? `http://localhost:${config.port}`;
}

/** Every path that a page token opens begins so. */
export function pagePath(workspaceSlug: string): string {
  return `/api/v1/workspace/${encodeSlug(workspaceSlug)}/whatsapp`;
}

/**
 * Whether a browser sends this from a page of ours. Without `PUBLIC_URL` there is only the name that the request itself
 * was sent to, which a page elsewhere cannot choose.
 */
export function isOwnOrigin(config: Config, origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return false;
  return config.publicUrl === undefined
    ? host !== undefined && origin === `http://${host}`
    : origin === new URL(config.publicUrl).origin;
}

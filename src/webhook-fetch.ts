import { isReachedByHttps } from "./accounts/origins.ts";
import type { Config } from "./config.ts";
import {
  createGuardedFetch,
  type GuardedFetch,
  type GuardedFetchOptions,
} from "./providers/guarded-fetch.ts";
import { VERSION } from "./version.ts";

const PORTS = [443, 8443];

/**
 * Calls partners' webhook endpoints: the public internet only, and this machine by its name `localhost` while the
 * installation is not in production.
 */
export function createWebhookFetch(config: Config, options: GuardedFetchOptions = {}): GuardedFetch {
  const common = { userAgent: `LumenOne/${VERSION}`, ports: PORTS, ...options };
  const outside = createGuardedFetch(common);
  return (url, request) => {
    const { protocol, hostname, port } = new URL(url);
    if (isReachedByHttps(config) || protocol !== "http:" || hostname !== "localhost")
      return outside(url, request);
    const local = createGuardedFetch({ ...common, allowHosts: [`localhost:${port || 80}`] });
    return local(url, request);
  };
}

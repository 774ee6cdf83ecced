import type { Config } from "../config.ts";
import { Problem } from "../http/problem.ts";

/**
 * Origins go into `frame-ancestors` and are compared with what a browser says, so they must be exact: scheme, host,
 * and a port if it is not the default one; no path, no wildcard.
 */
export function checkOrigins(config: Config, origins: readonly string[]): string[] {
  const onHttps = isReachedByHttps(config);
  const details = origins.flatMap((origin, index) => {
    const message = complaint(origin, onHttps);
    return message === undefined ? [] : [{ path: `body.allowed_origins.${index}`, message }];
  });
  const [first] = details;
  if (first !== undefined)
    throw new Problem("invalid_request", `${first.path}: ${first.message}.`, { details });
  return [...new Set(origins)];
}

/** What is in production; then nothing may lead to the machine it runs on. */
export function isReachedByHttps(config: Config): boolean {
  return config.publicUrl?.startsWith("https://") ?? false;
}

function complaint(origin: string, onHttps: boolean): string | undefined {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url === undefined || url.origin !== origin || origin.includes("*")) {
    return "must be an exact origin such as https://app.example.com";
  }
  if (url.protocol === "https:") return undefined;
  if (url.protocol === "http:" && url.hostname === "localhost") {
    return onHttps
      ? "http://localhost is not allowed on an installation that is reached by https"
      : undefined;
  }
  return "must begin with https://";
}

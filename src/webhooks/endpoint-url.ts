import { isReachedByHttps } from "../accounts/origins.ts";
import type { Config } from "../config.ts";
import { Problem } from "../http/problem.ts";

const PORTS = ["", "8443"];

/** The URL as it is called; whether its host is private shows only when its name is resolved, at every delivery. */
export function checkEndpointUrl(config: Config, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const message = url === undefined ? "is not a URL" : complaint(url, isReachedByHttps(config));
  if (url === undefined || message !== undefined) {
    throw new Problem("invalid_request", `body.url: ${message}.`, {
      details: [{ path: "body.url", message: message ?? "" }],
    });
  }
  return url.href;
}

function complaint(url: URL, onHttps: boolean): string | undefined {
  if (url.username !== "" || url.password !== "") return "may not hold a user name or a password";
  if (url.hash !== "") return "may not have a fragment";
  if (url.protocol === "http:" && url.hostname === "localhost") {
    return onHttps
      ? "http://localhost is not allowed on an installation that is reached by https"
      : undefined;
  }
  if (url.protocol !== "https:") return "must begin with https://";
  return PORTS.includes(url.port) ? undefined : "may name the ports 443 and 8443 only";
}

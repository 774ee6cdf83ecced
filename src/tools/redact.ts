import type { ToolDefinition } from "./definition.ts";
import { splitSecrets } from "./tool-secrets.ts";

const SHOWN = "[redacted]";
/** Shorter ones stand in every text by chance. */
const CREDENTIAL_MIN_LENGTH = 4;
const HEADER_MIN_LENGTH = 8;

/**
 * Takes a tool's secrets out of what its server answered, which may echo the request: as they are, in JSON, in a URL
 * and in base64. `more`: what was obtained with them, such as access tokens.
 */
export function redactor({ http, mcp }: ToolDefinition): (text: string, more?: readonly string[]) => string {
  const part = http ?? mcp;
  const { auth = {}, headers = {} } = part === undefined ? {} : splitSecrets(part).secrets;
  const credentials = Object.values(auth).filter(({ length }) => length >= CREDENTIAL_MIN_LENGTH);
  if (http?.auth.type === "basic") credentials.push(`${http.auth.username}:${http.auth.password}`);
  if (http?.auth.type === "oauth2_client_credentials") {
    credentials.push(`${http.auth.client_id}:${http.auth.client_secret}`);
  }
  // `Bearer abc…` and `session=abc…; x` hold their secret behind something that is none.
  const fromHeaders = Object.values(headers)
    .flatMap((value) => [value, ...value.split(/[\s;,=]+/)])
    .filter(({ length }) => length >= HEADER_MIN_LENGTH);
  const known = [...credentials, ...fromHeaders];
  return (text, more = []) => replaceAll(text, [...known, ...more].flatMap(formsOf));
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    // As PHP writes JSON.
    JSON.stringify(secret).slice(1, -1).replaceAll("/", "\\/"),
    encodeURIComponent(secret.toWellFormed()),
    new URLSearchParams({ s: secret }).toString().slice(2),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
    bytes.toString("hex"),
  ];
}

/** The longest first, so that no rest of one stays behind. */
function replaceAll(text: string, found: readonly string[]): string {
  const forms = [...new Set(found)].filter((form) => form !== "").sort((a, b) => b.length - a.length);
  return forms.reduce((rest, form) => rest.replaceAll(form, SHOWN), text);
}

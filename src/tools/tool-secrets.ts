import { HIDDEN, type HttpAuth, type HttpTool, type McpTool } from "./tools.schemas.ts";

/** What is stored encrypted, apart from the definition. */
export interface ToolSecrets {
  auth?: Record<string, string>;
  headers?: Record<string, string>;
}

const SECRET_FIELDS = ["token", "password", "value", "client_secret"];
/** Headers that say nothing secret, and that one wants to see. */
const PLAIN_HEADERS = new Set(["accept", "accept-language", "content-type", "user-agent"]);

/** Takes a definition apart: what may be shown, and what must be encrypted. */
export function splitSecrets(part: HttpTool | McpTool): {
  shown: Record<string, unknown>;
  secrets: ToolSecrets;
} {
  const headers = partition(part.headers, (name) => !PLAIN_HEADERS.has(name.toLowerCase()));
  const auth = partition("auth" in part ? part.auth : {}, (name) => SECRET_FIELDS.includes(name));
  const shownHeaders = { ...headers.others, ...mapValues(headers.chosen, () => HIDDEN) };
  return {
    shown: { ...part, headers: shownHeaders, ...("auth" in part ? { auth: auth.others } : {}) },
    secrets: { headers: mapValues(headers.chosen, String), auth: mapValues(auth.chosen, String) },
  };
}

/** The opposite: a stored definition with its secrets back in place. */
export function joinSecrets(shown: Record<string, unknown>, secrets: ToolSecrets): Record<string, unknown> {
  const headers = { ...asObject(shown.headers), ...secrets.headers };
  if (shown.auth === undefined) return { ...shown, headers };
  return { ...shown, headers, auth: { ...asObject(shown.auth), ...secrets.auth } };
}

/** A header that comes back hidden keeps its stored value. */
export function keepHidden(
  sent: Record<string, string>,
  stored: Record<string, string>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [name, value === HIDDEN ? (stored[name] ?? value) : value]),
  );
}

/** `auth` of the same type keeps the stored secret when it was sent without one. */
export function keepSecret(sent: { type: string }, stored: HttpAuth): object {
  if (sent.type !== stored.type) return sent;
  return { ...partition(stored, (name) => SECRET_FIELDS.includes(name)).chosen, ...sent };
}

/**
 * A stored secret that a change would send to another place than before without its being sent again: who may change
 * a tool but cannot read its secrets must not be able to have them delivered to a host of their own.
 *
 * @returns the secret's path inside the part, e.g. `auth.token` or `headers.X-Api-Key`
 */
export function findRedirectedSecret(
  before: HttpTool | McpTool,
  after: HttpTool | McpTool,
  sent: { headers?: Record<string, string> | undefined; auth?: object | undefined },
): string | undefined {
  if (destinationsOf(before).join() === destinationsOf(after).join()) return undefined;
  const { headers = {}, auth = {} } = splitSecrets(after).secrets;
  const keptAuth = Object.keys(auth).find((name) => !Object.hasOwn({ ...sent.auth }, name));
  if (keptAuth !== undefined) return `auth.${keptAuth}`;
  const keptHeader = Object.keys(headers).find((name) => (sent.headers?.[name] ?? HIDDEN) === HIDDEN);
  return keptHeader === undefined ? undefined : `headers.${keptHeader}`;
}

function destinationsOf(part: HttpTool | McpTool): string[] {
  const urls = [part.url];
  if ("auth" in part && part.auth.type === "oauth2_client_credentials") urls.push(part.auth.token_url);
  // A URL that is none is refused elsewhere.
  return urls.map((url) => (URL.canParse(url) ? new URL(url).origin : url));
}

function partition(record: object, choose: (name: string) => boolean) {
  const entries = Object.entries(record);
  return {
    chosen: Object.fromEntries(entries.filter(([name]) => choose(name))),
    others: Object.fromEntries(entries.filter(([name]) => !choose(name))),
  };
}

function mapValues(record: object, map: (value: unknown) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

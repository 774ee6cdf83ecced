import type { MetaData } from "../page-data.ts";

/** How Meta's popup says that it ended. The ids are hints; the server asks Meta itself. */
export type SignupMessage =
  | { kind: "finish"; event: string; ids: SignupIds }
  | { kind: "cancel" }
  | { kind: "error"; reference: string | null };

export interface SignupIds {
  waba_id?: string;
  phone_number_id?: string;
  business_id?: string;
}

/** `endsWith("facebook.com")` would let `https://evilfacebook.com` speak. */
export function isMetaOrigin(origin: string, allowed: readonly string[] | null): boolean {
  if (allowed !== null) return allowed.includes(origin);
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" && (hostname === "facebook.com" || hostname.endsWith(".facebook.com"));
}

/**
 * Meta sends JSON as a string or as an object, among other things that are not for us, and keeps adding kinds of
 * `FINISH…`. What is unknown is null.
 */
export function readSignupMessage(data: unknown): SignupMessage | null {
  const message = asRecord(typeof data === "string" ? parseJson(data) : data);
  if (message?.type !== "WA_EMBEDDED_SIGNUP" || typeof message.event !== "string") return null;
  const facts = asRecord(message.data) ?? {};
  if (message.event.startsWith("FINISH")) {
    return { kind: "finish", event: message.event.slice(0, 100), ids: readIds(facts) };
  }
  const reference = typeof facts.session_id === "string" ? facts.session_id.slice(0, 100) : null;
  if (message.event === "ERROR" || (message.event === "CANCEL" && "error_message" in facts)) {
    return { kind: "error", reference };
  }
  return message.event === "CANCEL" ? { kind: "cancel" } : null;
}

function readIds(facts: Record<string, unknown>): SignupIds {
  const ids: SignupIds = {};
  for (const name of ["waba_id", "phone_number_id", "business_id"] as const) {
    const value = facts[name];
    if (typeof value === "string" && /^\d{1,32}$/.test(value)) ids[name] = value;
  }
  return ids;
}

/** What `FB.login` is asked for, and the dialog of a full page too. */
export function loginOptions({ configId, extras }: MetaData): Record<string, unknown> {
  return { config_id: configId, response_type: "code", override_default_response_type: true, extras };
}

/** The same sign-up without a popup: Meta leads back to `redirectUri`, with a code and our `state`. */
export function dialogUrl(meta: MetaData, redirectUri: string, state: string): string {
  const query = new URLSearchParams({
    client_id: meta.appId,
    redirect_uri: redirectUri,
    config_id: meta.configId,
    response_type: "code",
    override_default_response_type: "true",
    extras: JSON.stringify(meta.extras),
    state,
  });
  return `${meta.dialogOrigin}/${meta.version}/dialog/oauth?${query}`;
}

export function asRecord(value: unknown): Record<string, unknown> | undefined {
  return isRecord(value) ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The SDK posts other strings too. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

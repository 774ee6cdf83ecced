import { z } from "zod";
import { MessengerError } from "../../ports/messenger.ts";
import type { ProviderError } from "../../ports/provider-error.ts";
import { retryAfter } from "../failed-answer.ts";
import { classify, type GraphErrorFacts } from "./classify.ts";

export const PROVIDER = "meta";

const envelopeSchema = z.object({
  error: z.object({
    message: z.string().default(""),
    code: z.number(),
    error_subcode: z.number().optional(),
    error_data: z.object({ details: z.string().optional() }).optional().catch(undefined),
    is_transient: z.boolean().optional(),
    fbtrace_id: z.string().optional(),
  }),
});

const MAX_MESSAGE_LENGTH = 400;

/** Thrown before a byte of the request was on its way. */
const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** An answer other than 2xx. */
export function graphError(
  response: { status: number; headers: Headers },
  body: string,
  secrets: readonly string[],
): MessengerError {
  const { facts, traceId } = readEnvelope(response.status, body);
  const verdict = classify(facts);
  const number = facts.code === null ? "" : ` (#${facts.code}${facts.subcode ? `/${facts.subcode}` : ""})`;
  const said = redacted([facts.message, facts.details].filter((text) => text !== "").join(" — "), secrets);
  return new MessengerError(
    `Meta refused${number}${said === "" ? ` with status ${response.status}` : `: ${said}`}`,
    {
      provider: PROVIDER,
      status: response.status,
      code: verdict.code,
      retryable: verdict.retryable,
      retryAfterMs: retryAfter(response.headers) ?? verdict.retryAfterMs,
    },
    {
      kind: verdict.kind,
      metaCode: facts.code,
      metaSubcode: facts.subcode,
      traceId,
      // A proxy between us and Meta does not know whether Meta went on.
      isAmbiguous: facts.code === null && response.status >= 500,
    },
  );
}

/** Whatever else went wrong: no answer, half of one, or one that is not what Meta documents. */
export function brokenCall(error: ProviderError): MessengerError {
  if (error instanceof MessengerError) return error;
  const { provider, status, code, retryAfterMs } = error;
  return new MessengerError(
    error.message,
    { provider, status, code, retryAfterMs, retryable: true },
    { kind: "transient", isAmbiguous: !wasNeverSent(error) },
  );
}

/** A call that our app's own secret opens: when that is refused, no customer can mend it. */
export function asOurs(error: unknown): never {
  if (!(error instanceof MessengerError) || (error.kind !== "reauth" && error.kind !== "permission"))
    throw error;
  const { metaCode, metaSubcode, traceId } = error;
  throw new MessengerError(error.message, error, { kind: "rejected", metaCode, metaSubcode, traceId });
}

/** An answer of 200 that does not hold what it must. */
export function badAnswer(what: string, traceId: string | null = null): MessengerError {
  return new MessengerError(
    `Meta's answer ${what}.`,
    { provider: PROVIDER, status: 200, code: "bad_answer", retryable: true },
    { kind: "transient", traceId, isAmbiguous: true },
  );
}

function readEnvelope(status: number, body: string): { facts: GraphErrorFacts; traceId: string | null } {
  const parsed = envelopeSchema.safeParse(parseJson(body));
  if (!parsed.success) {
    const facts = { code: null, subcode: null, message: "", details: "", isTransient: false, status };
    return { facts, traceId: null };
  }
  const { error } = parsed.data;
  return {
    facts: {
      code: error.code,
      subcode: error.error_subcode ?? null,
      message: error.message,
      details: error.error_data?.details ?? "",
      isTransient: error.is_transient ?? false,
      status,
    },
    traceId: error.fbtrace_id ?? null,
  };
}

/** Meta repeats what it was sent, and not always as it was sent. */
function redacted(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret !== "")
    .flatMap((secret) => [secret, encodeURIComponent(secret)]);
  const clean = forms.reduce((rest, form) => rest.replaceAll(form, "[redacted]"), text);
  return clean.replace(/\s+/g, " ").trim().slice(0, MAX_MESSAGE_LENGTH);
}

function wasNeverSent({ cause }: ProviderError): boolean {
  return cause instanceof Error && "code" in cause && NEVER_SENT.has(String(cause.code));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

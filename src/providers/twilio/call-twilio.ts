import { z } from "zod";
import { CarrierError, type CarrierErrorKind } from "../../ports/carrier.ts";
import { ProviderError } from "../../ports/provider-error.ts";
import { callProvider, type Fetch } from "../call-provider.ts";

export const provider = "twilio";

export type TwilioOptions = {
  accountSid: string;
  authToken: string;
  /** `https://api.twilio.com`, one of its regions, or a stand-in that answers for all of Twilio's hosts. */
  baseUrl: string;
  timeoutMs?: number;
  settleMs?: number;
  fetch?: Fetch;
};

export type TwilioCall = {
  method: "GET" | "POST" | "DELETE";
  url: string;
  /** Sent as a form with POST, else as the query. What is undefined is left out. */
  fields?: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal | undefined;
};

/** Long enough for any answer that Twilio gives, and well below the time after which an order counts as not given. */
const TIMEOUT_MS = 8_000;

const SAID_LENGTH = 500;

/** `{"code":21422,"message":"…","more_info":"…","status":400}` */
const failure = z.object({ code: z.int(), message: z.string() });

/** What Twilio's own numbers of errors mean; see twilio.com/docs/api/errors. */
const KINDS: Readonly<Record<number, CarrierErrorKind>> = {
  // Not available, or never was for sale.
  21422: "taken",
  21421: "taken",
  // An address is wanted, or one that lies elsewhere.
  21613: "papers",
  21615: "papers",
  21628: "papers",
  21631: "papers",
  // A bundle is wanted, is not approved yet, or is of another kind or address.
  21649: "papers",
  21650: "papers",
  21651: "papers",
};

/**
 * One request, with Twilio's credentials.
 *
 * @returns parsed JSON, or `null` for an answer without a body
 * @throws {@link CarrierError}
 */
export async function callTwilio(options: TwilioOptions, call: TwilioCall): Promise<unknown> {
  const { accountSid, authToken } = options;
  const fields = new URLSearchParams(
    Object.entries(call.fields ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const isForm = call.method === "POST";
  const query = isForm || fields.size === 0 ? "" : `?${fields}`;
  let refusal = "";
  // What callProvider makes of a failure leaves out Twilio's own number of it.
  const watched: Fetch = async (...request) => {
    const response = await (options.fetch ?? fetch)(...request);
    if (!response.ok) refusal = await response.clone().text();
    return response;
  };
  try {
    const answer = await callProvider({
      provider,
      fetch: watched,
      url: `${call.url}${query}`,
      method: call.method,
      headers: {
        authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}`,
        accept: "application/json",
        ...(isForm ? { "content-type": "application/x-www-form-urlencoded" } : {}),
      },
      ...(isForm ? { body: fields.toString() } : {}),
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      ...(call.signal === undefined ? {} : { signal: call.signal }),
      secrets: [authToken],
    });
    return answer.status === 204 ? null : await answer.json();
  } catch (error) {
    throw toCarrierError(error, refusal);
  }
}

/** Reads an answer, or says that it is not what Twilio documents. What was done may be done all the same. */
export function readAnswer<T>(schema: z.ZodType<T>, answer: unknown): T {
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new CarrierError(
    `${provider} answered something else than it documents (${issue?.path.join(".")}: ${issue?.message}).`,
    { provider, code: "bad_answer", retryable: true },
    { kind: "other", said: null, isAmbiguous: true },
  );
}

/** An aborted signal's reason passes as it is. */
function toCarrierError(error: unknown, refusal: string): unknown {
  if (!(error instanceof ProviderError)) return error;
  const { status, code, retryable, retryAfterMs, message } = error;
  const said = readFailure(refusal);
  return new CarrierError(
    message,
    { provider, status, code, retryable, retryAfterMs },
    {
      kind: said === undefined ? "other" : (KINDS[said.code] ?? "other"),
      said: said === undefined ? null : `${said.code}: ${said.message}`.slice(0, SAID_LENGTH),
      isAmbiguous: isAmbiguous(error),
    },
    error,
  );
}

function readFailure(refusal: string): z.output<typeof failure> | undefined {
  try {
    return failure.safeParse(JSON.parse(refusal)).data;
  } catch {
    return undefined;
  }
}

/** Twilio says no with a status below 500, and then has done nothing. All else may come after the deed. */
function isAmbiguous({ status, code }: ProviderError): boolean {
  if (code === "bad_answer" || status === null) return true;
  return status >= 500 || status === 408;
}

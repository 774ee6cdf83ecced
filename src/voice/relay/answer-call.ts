import type { App } from "../../context.ts";
import { appendCallEvents, appendReports } from "../append-call-events.ts";
import { endCall } from "../end-call.ts";
import type { EndedReason } from "../ended-reasons.ts";
import { openCall } from "../open-call.ts";
import { SPOKEN, spokenLanguage } from "../turn/spoken-phrases.ts";
import { issueCallToken } from "./call-token.ts";
import { type CarrierRequest, publicUrl, webSocketUrl } from "./carrier-request.ts";
import { findCalled, findCarrierCall } from "./find-called.ts";
import { emptyMarkup, farewellMarkup, hangUpMarkup, relayMarkup } from "./markup.ts";
import {
  attemptsOf,
  type CarrierName,
  languageOfNumber,
  languagesOf,
  type RelayConfiguration,
  relayAttributes,
} from "./relay-attributes.ts";
import { dialHuman } from "./transfer-call.ts";

/**
 * What the carrier is to do with a call that comes in: open a line to us, or say that nobody can be reached. Why not is
 * nobody's business on the phone: a number that is not ours, one without an assistant and a suspended account sound the
 * same.
 */
export async function answerCall(app: App, carrier: CarrierName, request: CarrierRequest): Promise<string> {
  const { callSid, from, to } = request;
  const called = await findCalled(app, to);
  if (called === undefined) {
    app.log.warn({ carrier }, "a call was refused: its number has no assistant that may answer");
    return refusal(to);
  }
  const { owner, numberId, integrationId, version, configuration } = called;
  const call = await openCall(app, owner, {
    direction: "inbound",
    provider: carrier,
    providerCallId: callSid,
    from,
    to,
    numberId,
    configuration: { integrationId, version },
    startedAt: app.now(),
  });
  // The carrier asks again when our answer was lost; what has been answered since is not answered twice.
  return call.status === "ringing" ? line(app, carrier, call.id, configuration, 0) : hangUpMarkup();
}

/**
 * What to do when the line to us is closed: to dial whom the caller was handed to, or to hang up. A line that was never opened is tried again with the
 * fallbacks, as long as there are any.
 */
export async function closeLine(
  app: App,
  carrier: CarrierName,
  request: CarrierRequest,
  query: URLSearchParams,
): Promise<string> {
  const { callSid, to, form } = request;
  const call = await findCarrierCall(app, carrier, callSid);
  if (call !== undefined && call.endedReason !== null) return dialHuman(app, carrier, call, request);
  if (call === undefined || call.status !== "ringing") return hangUpMarkup();
  const attempt = Number(query.get("attempt") ?? 0);
  const status = form.get("SessionStatus") ?? "closed";
  await appendCallEvents(app, call.owner, call.id, [
    {
      kind: "provider_status",
      at: app.now(),
      status: `relay-${status}`,
      data: { attempt, ...detailsOf(form) },
      key: `action:${attempt}`,
    },
  ]);
  const { configuration } = call;
  if (configuration !== null && attempt + 1 < attemptsOf(configuration))
    return line(app, carrier, call.id, configuration, attempt + 1);
  const detail = form.get("ErrorMessage") ?? form.get("ErrorCode");
  await endCall(app, call.owner, call.id, {
    reason: "never_connected",
    at: app.now(),
    ...(detail === null ? {} : { detail: detail.slice(0, 500) }),
  });
  return refusal(to);
}

/**
 * What a carrier reports of a call, once for each report. It ends a call that was never answered; one that was is ended
 * by its own line, or by the sweep when its process is gone: a report must not cut off what is still to be written.
 */
export async function noteStatus(
  app: App,
  carrier: CarrierName,
  { callSid, form }: CarrierRequest,
): Promise<string> {
  const status = form.get("CallStatus") ?? "";
  const call = await findCarrierCall(app, carrier, callSid);
  if (call === undefined || status === "") return emptyMarkup();
  await appendReports(app, call.owner, call.id, [
    {
      kind: "provider_status",
      at: app.now(),
      status: status.slice(0, 200),
      data: detailsOf(form),
      key: `status:${status.slice(0, 100)}`,
    },
  ]);
  const reason = UNANSWERED[status];
  if (reason !== undefined && call.status === "ringing")
    await endCall(app, call.owner, call.id, { reason, at: app.now(), detail: status });
  return emptyMarkup();
}

/** The last states of a call, and what they mean for one that we never answered. */
const UNANSWERED: Readonly<Record<string, EndedReason>> = {
  completed: "caller_gave_up",
  canceled: "caller_gave_up",
  "no-answer": "caller_gave_up",
  busy: "carrier_rejected",
  failed: "carrier_failed",
};

const DETAILS = [
  "SessionDuration",
  "ErrorCode",
  "ErrorMessage",
  "CallDuration",
  "SipResponseCode",
  "HangupCause",
];

function detailsOf(form: URLSearchParams): Record<string, string> {
  return Object.fromEntries(
    DETAILS.flatMap((name) => {
      const value = form.get(name);
      return value === null ? [] : [[name, value.slice(0, 500)]];
    }),
  );
}

function line(
  app: App,
  carrier: CarrierName,
  callId: string,
  configuration: RelayConfiguration,
  attempt: number,
): string {
  const url = publicUrl(app, `/voice/relay/${carrier}`);
  const actionUrl = publicUrl(app, `/voice/${carrier}/action`, `?attempt=${attempt}`);
  if (url === null || actionUrl === null) throw new Error("calls need PUBLIC_URL");
  const { firstMessage: greeting } = configuration;
  const { language, languages } = languagesOf(configuration);
  const { language: _, ...voice } = relayAttributes(carrier, configuration, attempt);
  return relayMarkup({
    url: webSocketUrl(url),
    actionUrl,
    attributes: {
      // Where it is empty, the caller speaks first.
      ...(greeting === "" ? {} : { welcomeGreeting: greeting, welcomeGreetingInterruptible: "any" }),
      language,
      ...voice,
      interruptible: "any",
      dtmfDetection: true,
      // Telnyx always sends them.
      partialPrompts: carrier === "twilio" ? true : undefined,
    },
    languages: languages.map((code) => ({ code, ...voice, transcriptionLanguage: undefined })),
    parameters: { token: issueCallToken(app, { callId, attempt }) },
  });
}

function refusal(to: string): string {
  const language = languageOfNumber(to);
  return farewellMarkup(SPOKEN[spokenLanguage(language)].unavailable, language);
}

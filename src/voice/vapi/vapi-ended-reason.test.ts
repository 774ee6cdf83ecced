import { Vapi } from "@vapi-ai/server-sdk";
import { describe, expect, test } from "vitest";
import type { EndedReason } from "../ended-reasons.ts";
import { toEndedReason } from "./vapi-ended-reason.ts";

const all = Object.values(Vapi.ServerMessageEndOfCallReportEndedReason);

test.each<[string, EndedReason]>([
  ["customer-ended-call", "caller_hung_up"],
  ["call.in-progress.twilio-completed-call", "caller_hung_up"],
  ["call.ringing.sip-inbound-caller-hungup-before-call-connect", "caller_gave_up"],
  ["silence-timed-out", "caller_silent"],
  ["customer-did-not-answer", "no_answer"],
  ["customer-busy", "line_busy"],
  ["voicemail", "voicemail"],
  ["exceeded-max-duration", "max_duration"],
  ["assistant-ended-call", "goodbye"],
  ["assistant-said-end-call-phrase", "goodbye"],
  ["assistant-forwarded-call", "transferred"],
  ["call.forwarding.operator-busy", "transfer_failed"],
  ["call.in-progress.error-transfer-failed", "transfer_failed"],
  ["twilio-failed-to-connect-call", "never_connected"],
  ["phone-call-provider-closed-websocket", "connection_lost"],
  ["vonage-rejected", "carrier_rejected"],
  ["call.in-progress.error-providerfault-outbound-sip-503-service-unavailable", "carrier_failed"],
  ["pipeline-error-deepgram-returning-502-network-error", "transcriber_failed"],
  ["pipeline-error-eleven-labs-transcriber-failed", "transcriber_failed"],
  ["pipeline-error-eleven-labs-quota-exceeded", "voice_failed"],
  ["pipeline-error-openai-voice-failed", "voice_failed"],
  ["call.in-progress.error-vapifault-vapi-voice-failed", "voice_failed"],
  ["call.in-progress.error-providerfault-custom-llm-500-server-error", "model_failed"],
  ["pipeline-error-custom-llm-401-unauthorized", "model_failed"],
  ["pipeline-error-openai-429-exceeded-quota", "model_failed"],
  ["call.start.error-subscription-insufficient-credits", "engine_failed"],
  ["worker-shutdown", "engine_failed"],
  ["manually-canceled", "engine_failed"],
  ["what-nobody-has-ever-heard-of", "engine_failed"],
])("%s is %s", (words, reason) => {
  expect(toEndedReason(words)).toBe(reason);
});

describe("of all the reasons that Vapi's own client knows", () => {
  test("those of a voice, a transcriber or a model are that provider's fault", () => {
    expect(all.length).toBeGreaterThan(500);
    for (const words of all) {
      if (/transcriber/.test(words))
        expect([words, toEndedReason(words)]).toEqual([words, "transcriber_failed"]);
      else if (/voice-failed/.test(words))
        expect([words, toEndedReason(words)]).toEqual([words, "voice_failed"]);
      else if (/llm-failed/.test(words))
        expect([words, toEndedReason(words)]).toEqual([words, "model_failed"]);
    }
  });

  test("the few that are nobody's but Vapi's are known by name", () => {
    const unknown = all.filter((words) => toEndedReason(words) === "engine_failed");
    expect(
      unknown.filter((words) => !/^(call\.start\.|assistant-|call-|scheduled-)/.test(words)).sort(),
    ).toEqual([
      "call.in-progress.error-configfault-transport-unsupported-for-model",
      "call.in-progress.error-vapifault-chat-pipeline-failed-to-start",
      "call.in-progress.error-vapifault-transport-connected-but-call-not-active",
      "call.in-progress.error-vapifault-worker-died",
      "call.in-progress.error-vapifault-worker-not-available",
      "manually-canceled",
      "worker-shutdown",
    ]);
  });
});

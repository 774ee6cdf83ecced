import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dialogUrl, isMetaOrigin, loginOptions, readSignupMessage } from "./browser/protocol.ts";
import type { MetaData } from "./page-data.ts";

const META: MetaData = {
  appId: "123",
  configId: "456",
  version: "v25.0",
  extras: { setup: {}, featureType: "whatsapp_business_app_onboarding" },
  dialogOrigin: "https://www.facebook.com",
  messageOrigins: null,
};

describe("who may speak for Meta", () => {
  test.each([
    ["https://facebook.com", true],
    ["https://www.facebook.com", true],
    ["https://business.facebook.com", true],
    ["https://evilfacebook.com", false],
    ["https://facebook.com.evil.example", false],
    ["https://www.evilfacebook.com", false],
    ["http://www.facebook.com", false],
    ["https://facebook.community", false],
    ["null", false],
    ["", false],
  ])("%s: %s", (origin, expected) => {
    expect(isMetaOrigin(origin, null)).toBe(expected);
  });

  test("where the settings name origins, they alone", () => {
    expect(isMetaOrigin("http://127.0.0.1:4000", ["http://127.0.0.1:4000"])).toBe(true);
    expect(isMetaOrigin("https://www.facebook.com", ["http://127.0.0.1:4000"])).toBe(false);
    expect(isMetaOrigin("http://127.0.0.1:40001", ["http://127.0.0.1:4000"])).toBe(false);
  });
});

describe("what Meta's window says", () => {
  test.each([
    "FINISH",
    "FINISH_ONLY_WABA",
    "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING",
    "FINISH_GRANT_ONLY_API_ACCESS",
    "FINISH_SOMETHING_OF_NEXT_YEAR",
  ])("%s is a finished sign-up, as a string and as an object", (event) => {
    const message = {
      type: "WA_EMBEDDED_SIGNUP",
      event,
      version: 3,
      data: { waba_id: "12", phone_number_id: "34" },
    };
    const expected = { kind: "finish", event, ids: { waba_id: "12", phone_number_id: "34" } };
    expect(readSignupMessage(message)).toEqual(expected);
    expect(readSignupMessage(JSON.stringify(message))).toEqual(expected);
  });

  test("ids that are none are left out, since the server would refuse the whole", () => {
    const data = { waba_id: "12", phone_number_id: "<b>", business_id: 7 };
    expect(readSignupMessage({ type: "WA_EMBEDDED_SIGNUP", event: "FINISH", data })).toEqual({
      kind: "finish",
      event: "FINISH",
      ids: { waba_id: "12" },
    });
  });

  test("a sign-up that was given up is told from one that failed", () => {
    const say = (event: string, data: object) =>
      readSignupMessage({ type: "WA_EMBEDDED_SIGNUP", event, data });
    expect(say("CANCEL", { current_step: "PERMISSIONS" })).toEqual({ kind: "cancel" });
    expect(say("CANCEL", { error_message: "no", session_id: "s1" })).toEqual({
      kind: "error",
      reference: "s1",
    });
    expect(say("ERROR", { error_message: "no" })).toEqual({ kind: "error", reference: null });
    expect(say("SOMETHING_ELSE", {})).toBeNull();
  });

  test("everything else is left alone", () => {
    for (const other of [
      "cb=f1&code=abc",
      "{",
      "null",
      "[]",
      '"x"',
      undefined,
      7,
      { type: "other" },
      { type: "WA_EMBEDDED_SIGNUP" },
    ])
      expect(readSignupMessage(other)).toBeNull();
    fc.assert(fc.property(fc.anything(), (data) => readSignupMessage(data) === null));
  });
});

describe("how the sign-up is opened", () => {
  test("the popup asks for a code, with the extras of the settings", () => {
    expect(loginOptions(META)).toEqual({
      config_id: "456",
      response_type: "code",
      override_default_response_type: true,
      extras: META.extras,
    });
  });

  test("the dialog asks for the same, and the link's token is not in its address", () => {
    const url = new URL(dialogUrl(META, "https://a.example/connect/whatsapp/return?x=1&y", "it.0a b"));
    expect(`${url.origin}${url.pathname}`).toBe("https://www.facebook.com/v25.0/dialog/oauth");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: "123",
      redirect_uri: "https://a.example/connect/whatsapp/return?x=1&y",
      config_id: "456",
      response_type: "code",
      override_default_response_type: "true",
      extras: JSON.stringify(META.extras),
      state: "it.0a b",
    });
  });
});

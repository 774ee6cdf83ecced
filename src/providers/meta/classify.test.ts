import { describe, expect, test } from "vitest";
import type { MessengerErrorKind } from "../../ports/messenger.ts";
import { classify, type GraphErrorFacts } from "./classify.ts";

const nothing = { subcode: null, message: "", details: "", isTransient: false, status: 400 };
const MINUTE_MS = 60_000;

function verdict(facts: Partial<GraphErrorFacts> & { code: number | null }) {
  return classify({ ...nothing, ...facts });
}

describe("an error's code says what it means", () => {
  test.for<[MessengerErrorKind, number[]]>([
    ["reauth", [190, 0, 102]],
    ["permission", [10, 200, 230, 299, 131005, 3]],
    ["asset", [33, 803]],
    ["callback", [2200]],
    ["registering", [133000]],
    ["pin_mismatch", [133005]],
    ["unverified", [133006]],
    ["wait", [133008, 133009, 133015]],
    ["not_registered", [133010]],
    ["locked", [133016]],
    ["transient", [1, 2, 131000, 131016, 131057, 133004]],
    ["throttled", [4, 17, 32, 613, 80007, 130429, 131056]],
    ["blocked", [131031, 368, 130497, 131045]],
    ["payment", [131042]],
    ["window", [131047]],
    ["undeliverable", [131026, 131021, 131030]],
    ["spam", [131048, 131049, 131050, 130472]],
    ["media", [131052, 131053]],
    ["foreign", [2388103, 2388012, 2388091, 2388093]],
    ["name_review", [2388001]],
    ["rejected", [100, 101, 104, 131008, 131009, 131051, 131062, 132000, 132015, 135000, 136025, 999_999]],
  ])("%s", ([kind, codes]) => {
    expect(codes.map((code) => [code, verdict({ code }).kind])).toEqual(codes.map((code) => [code, kind]));
  });

  test("whatever HTTP status it came with", () => {
    for (const status of [200, 400, 401, 403, 404, 422, 429, 500, 503]) {
      expect(verdict({ code: 131056, status }).kind).toBe("throttled");
      expect(verdict({ code: 131008, status }).kind).toBe("rejected");
    }
  });
});

describe("code 100, Meta's word for anything it does not like", () => {
  test.for<[MessengerErrorKind, Partial<GraphErrorFacts>]>([
    ["asset", { subcode: 33 }],
    ["code_used", { subcode: 36007 }],
    ["code_used", { subcode: 36009 }],
    ["not_registered", { subcode: 2207051 }],
    ["name_review", { subcode: 2388001 }],
    ["foreign", { subcode: 2388103 }],
    ["rejected", { subcode: 36008, message: "Please make sure your redirect_uri is identical" }],
    ["rejected", { subcode: 2593109 }],
    ["code_used", { message: "This authorization code has expired." }],
    ["code_used", { message: "This authorization code has been used." }],
    ["name_review", { details: "Cannot create certificate" }],
    ["callback", { message: "(#100) Before override the current callback uri, your app must be subscribed" }],
    ["coexistence", { message: "Deregister endpoint is not available for API solution for SMB businesses" }],
    ["asset", { message: "Object with ID '1' does not exist, cannot be loaded due to missing permissions" }],
    ["transient", { isTransient: true }],
    ["rejected", { message: "(#100) Param text['body'] must be at most 4096 characters long." }],
  ])("%s for %o", ([kind, facts]) => {
    expect(verdict({ code: 100, ...facts }).kind).toBe(kind);
  });
});

describe("whether to try again, and when", () => {
  test("only what mends itself is retried", () => {
    const kinds = [1, 131056, 133015, 2388001].map((code) => verdict({ code }));
    expect(kinds.every(({ retryable }) => retryable)).toBe(true);
    // Each of these costs the customer something when it is repeated: the number, the account, or its good name.
    const final = [190, 10, 133005, 133016, 133000, 131047, 131026, 131048, 131031, 131042, 100, 131052];
    expect(final.filter((code) => verdict({ code }).retryable)).toEqual([]);
  });

  test("an upload that failed may work the next time, media that cannot be read will not", () => {
    expect(verdict({ code: 131053 }).retryable).toBe(true);
    expect(verdict({ code: 131052 }).retryable).toBe(false);
  });

  test.for<[number, string, number | null]>([
    [4, "", 5 * MINUTE_MS],
    [80007, "", 5 * MINUTE_MS],
    [131056, "", 4_000],
    [131057, "", MINUTE_MS],
    [133015, "", 5 * MINUTE_MS],
    [133016, "", 72 * 60 * MINUTE_MS],
    [133008, "Please wait 7 minutes before you try again.", 7 * MINUTE_MS],
    [133009, "Wait 30 seconds", 30_000],
    [133009, "", MINUTE_MS],
    [131047, "more than 24 hours have passed", null],
    [2, "", null],
  ])("%i with %j waits %s ms", ([code, details, waitMs]) => {
    expect(verdict({ code, details }).retryAfterMs).toBe(waitMs);
  });

  test("a wrong secret of our own is not a reason to try again, though Meta says 1 to it", () => {
    expect(verdict({ code: 1, message: "Error validating client secret." })).toMatchObject({
      kind: "rejected",
      code: "unauthorized",
      retryable: false,
    });
  });
});

test("an answer that is none of Graph's is judged by its status", () => {
  expect(verdict({ code: null, status: 502 }).kind).toBe("transient");
  expect(verdict({ code: null, status: 429 })).toMatchObject({ kind: "throttled", retryable: true });
  expect(verdict({ code: null, status: 404 }).kind).toBe("rejected");
});

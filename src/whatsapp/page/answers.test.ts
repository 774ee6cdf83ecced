import { describe, expect, test } from "vitest";
import { ONBOARD_NEEDS } from "../onboard.schemas.ts";
import { viewOf } from "./browser/answers.ts";
import type { OutcomeData } from "./page-data.ts";

describe("what an answer of the onboarding makes of the page", () => {
  test.each([
    ["new_code", "problem"],
    ["choose_number", "choose"],
    ["pin", "pin"],
    ["verification", "verify"],
    ["number", "problem"],
    ["wait", "waiting"],
  ] as const)("what needs %s shows the panel %s", (needs, panel) => {
    expect(ONBOARD_NEEDS).toContain(needs);
    expect(viewOf(answer({ needs })).panel).toBe(panel);
  });

  test("a number that is connected is connected, also where a card is missing", () => {
    expect(viewOf(answer({ success: true, status: "active" })).panel).toBe("connected");
    expect(viewOf(answer({ success: true, status: "needs_payment" })).panel).toBe("connected");
  });

  test.each([
    ["number_in_use", "number", "numberInUse", "start"],
    ["unexpected_number", "number", "wrongNumber", "start"],
    ["number_mismatch", "number", "alreadyConnected", "start"],
    ["number_elsewhere", "number", "notEligible", "start"],
    ["permission", "new_code", "noAccess", "start"],
    ["asset_not_accessible", "new_code", "noAccess", "start"],
    ["code_expired", "new_code", "newCode", "start"],
    ["blocked", null, "blocked", null],
    ["payment", null, "connectedPayment", null],
    ["of_next_year", null, "unexpected", null],
  ] as const)("%s says %s: %s, and offers %s", (code, needs, text, action) => {
    expect(viewOf(answer({ needs, error: failure(code) }))).toMatchObject({ panel: "problem", text, action });
  });

  test("what may succeed when it is tried again offers that", () => {
    expect(viewOf(answer({ retryable: true, error: failure("of_next_year") })).action).toBe("resume");
  });

  test("short waits end by themselves, not at once; long ones are not sat out", () => {
    const wait = (seconds?: number) =>
      viewOf(
        answer({
          needs: "wait",
          error: failure("register_later"),
          ...(seconds && { retry_after_seconds: seconds }),
        }),
      ).againSeconds;
    expect(wait()).toBe(30);
    expect(wait(1)).toBe(5);
    expect(wait(120)).toBe(120);
    expect(wait(259_200)).toBeNull();
  });

  test("a name in review leaves nothing to do", () => {
    const view = viewOf(answer({ success: true, needs: "wait", status: "pending_name_review" }));
    expect(view).toEqual({ panel: "waiting", text: "waitingText", againSeconds: null });
  });
});

function failure(code: string) {
  return { code, message: "", trace_id: null };
}

function answer(facts: Partial<OutcomeData>): OutcomeData {
  return {
    success: false,
    status: "connecting",
    needs: null,
    retryable: false,
    connection_id: null,
    display_phone_number: null,
    verified_name: null,
    error: null,
    ...facts,
  };
}

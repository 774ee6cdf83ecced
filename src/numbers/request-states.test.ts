import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Problem } from "../http/problem.ts";
import {
  MOVES,
  type MovedBy,
  mayMove,
  moveState,
  type PastMove,
  REQUEST_STATUSES,
  type RequestMove,
  type RequestState,
} from "./request-states.ts";

/** The contract's own words. */
const CONTRACT = `pending → in_review | approved | rejected | cancelled
in_review → action_required | approved | rejected | cancelled
action_required → in_review | cancelled
approved → provisioning | cancelled
provisioning → fulfilled | action_required | failed
failed → provisioning | cancelled`;
const FRESH: RequestState = { status: "pending", reason: null, providerStatus: null, nextStep: null };
const OVER = ["fulfilled", "rejected", "cancelled"];

const status = fc.constantFrom(...REQUEST_STATUSES);
const by = fc.constantFrom<MovedBy>("partner", "superadmin", "carrier");
const move: fc.Arbitrary<RequestMove> = fc.record(
  {
    to: status,
    by,
    reason: fc.option(fc.string()),
    providerStatus: fc.string(),
    nextStep: fc.string({ minLength: 1 }),
  },
  { requiredKeys: ["to", "by"] },
);

test("the moves are those of the contract and no others", () => {
  const written = CONTRACT.split("\n").map((line) => {
    const [from = "", to = ""] = line.split(" → ");
    return [from, to.split(" | ")];
  });
  const there = Object.entries(MOVES).filter(([, to]) => to.length > 0);
  expect(Object.fromEntries(there)).toEqual(Object.fromEntries(written));
});

describe("whatever is tried, in any order", () => {
  /** What is refused changes nothing; all else is done. */
  const live = (tried: readonly RequestMove[]) => {
    let state = FRESH;
    const past: PastMove[] = [];
    for (const one of tried) {
      try {
        const moved = moveState(state, one);
        state = moved.state;
        past.push(moved.past);
      } catch (error) {
        expect(error).toBeInstanceOf(Problem);
      }
    }
    return { state, past };
  };

  test("every step of the history is a move that there is, by somebody who may", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (tried) => {
        const { state, past } = live(tried);
        let at = FRESH.status;
        for (const step of past) {
          expect(mayMove(at, { to: step.status, by: step.by })).toBe(true);
          expect(MOVES[at]).toContain(step.status);
          at = step.status;
        }
        expect(at).toBe(state.status);
      }),
    );
  });

  test("what is over stays so", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (tried) => {
        const { past } = live(tried);
        const end = past.findIndex((step) => OVER.includes(step.status));
        if (end >= 0) expect(past).toHaveLength(end + 1);
      }),
    );
  });

  test("the partner has something to do if and only if its action is required", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (tried) => {
        const { state } = live(tried);
        expect(state.nextStep === null).toBe(state.status !== "action_required");
      }),
    );
  });

  test("what the carrier said last is kept word for word", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (tried) => {
        let said: string | null = null;
        let state = FRESH;
        for (const one of tried.filter((candidate) => mayMove(state.status, candidate))) {
          if (!mayMove(state.status, one)) continue;
          state = moveState(state, one).state;
          said = one.providerStatus ?? said;
          expect(state.providerStatus).toBe(said);
        }
      }),
    );
  });

  test("a partner only cancels, and answers what was asked", () => {
    for (const from of REQUEST_STATUSES)
      for (const to of REQUEST_STATUSES)
        if (mayMove(from, { to, by: "partner" }))
          expect(to === "cancelled" || (from === "action_required" && to === "in_review")).toBe(true);
  });

  test("a carrier moves only what it provides", () => {
    const moved = REQUEST_STATUSES.filter((from) =>
      REQUEST_STATUSES.some((to) => mayMove(from, { to, by: "carrier" })),
    );
    expect(moved).toEqual(["provisioning"]);
  });
});

test.each([
  ["pending", "fulfilled", "superadmin", "in_review or approved or rejected or cancelled"],
  ["pending", "approved", "partner", "cancelled"],
  ["action_required", "approved", "superadmin", "in_review or cancelled"],
] as const)("from %s to %s by the %s is refused, naming what is possible", (from, to, who, possible) => {
  expect(() => moveState({ ...FRESH, status: from }, { to, by: who })).toThrow(
    `A request that is ${from} cannot become ${to}: from there it can only become ${possible}.`,
  );
});

test("what is over says so when it is to be moved", () => {
  expect(() => moveState({ ...FRESH, status: "rejected" }, { to: "approved", by: "superadmin" })).toThrow(
    "A request that is rejected cannot become approved: its status does not change any more.",
  );
});

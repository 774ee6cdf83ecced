import { z } from "zod";

/**
 * What a vendor does when it fails. The first five happen to any request; the last three are for the vendor's own
 * answer to get wrong (a simulator that cannot, answers 500).
 */
const faultSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("status"),
    status: z.int(),
    message: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  /** Answers rightly, but late. */
  z.object({ kind: z.literal("slow"), ms: z.int() }),
  /** Closes the connection without a word. */
  z.object({ kind: z.literal("reset") }),
  /** Sends the head and half of the body, then closes the connection. */
  z.object({ kind: z.literal("partial") }),
  /** A proxy's page with status 200. */
  z.object({ kind: z.literal("html") }),
  z.object({ kind: z.literal("wrong-dimensions") }),
  z.object({ kind: z.literal("wrong-count") }),
  z.object({ kind: z.literal("nan") }),
]);

export type Fault = z.infer<typeof faultSchema>;

/** For the next so many requests (all when absent) whose path holds `path`. */
export const plannedFaultSchema = z.object({
  fault: faultSchema,
  times: z.int().positive().optional(),
  path: z.string().optional(),
});

export type PlannedFault = z.infer<typeof plannedFaultSchema>;

export type FaultPlan = {
  add(planned: PlannedFault): void;
  clear(): void;
  /** The fault this request meets; used up by asking. */
  next(path: string): Fault | null;
};

export function faultPlan(): FaultPlan {
  let planned: { fault: Fault; left: number; path: string }[] = [];
  return {
    add({ fault, times = Number.POSITIVE_INFINITY, path = "" }) {
      planned.push({ fault, left: times, path });
    },
    clear() {
      planned = [];
    },
    next(path) {
      const found = planned.find((plan) => plan.left > 0 && path.includes(plan.path));
      if (found === undefined) return null;
      found.left -= 1;
      return found.fault;
    },
  };
}

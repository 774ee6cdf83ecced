import { z } from "zod";
import { isoTime } from "../http/schemas.ts";

export const Job = z
  .object({
    id: z.uuid(),
    kind: z.string().meta({ example: "erase" }),
    status: z.enum(["queued", "running", "succeeded", "failed"]),
    progress: z.record(z.string(), z.unknown()).meta({
      description: "How far it is; the fields depend on the kind of work.",
      example: { done: 1, total: 4 },
    }),
    attempts: z.int().describe("How often it was tried."),
    result: z.unknown().describe("What came of it, once succeeded."),
    error: z
      .object({ code: z.string(), message: z.string() })
      .nullable()
      .meta({ description: "Why the last attempt failed; final when the status is failed.", example: null }),
    created_at: isoTime,
    updated_at: isoTime,
    finished_at: isoTime.nullable().meta({ example: null }),
  })
  .meta({ id: "Job" });
export type Job = z.output<typeof Job>;

export const JobResponse = z.object({ job: Job }).meta({ id: "JobResponse" });

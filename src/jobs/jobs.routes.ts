import { z } from "zod";
import { EventStream } from "../http/event-stream.ts";
import { type Operation, operation } from "../http/operation.ts";
import { Job, JobResponse } from "./jobs.schemas.ts";
import { getJob, retryJob, watchJob } from "./jobs.service.ts";

const JobParams = z.strictObject({ jobId: z.uuid().transform((id) => id.toLowerCase()) });
const common = { tag: "Jobs", scope: "jobs:read", tenant: "partner-or-account" } as const;

export const jobOperations: Operation[] = [
  operation({
    ...common,
    id: "getJob",
    method: "GET",
    path: "/v1/jobs/:jobId",
    summary: "Get how far work in the background is.",
    params: JobParams,
    response: { 200: JobResponse },
    problems: ["not_found"],
    handle: (app, caller, { params }) => getJob(app, caller, params.jobId),
  }),
  operation({
    ...common,
    id: "retryJob",
    method: "POST",
    path: "/v1/jobs/:jobId/retry",
    scope: "jobs:write",
    summary: "Try a failed job again.",
    params: JobParams,
    idempotent: false,
    response: { 200: JobResponse.extend({ success: z.literal(true) }).meta({ id: "JobRetried" }) },
    problems: ["not_found", "conflict"],
    handle: (app, caller, { params }) => retryJob(app, caller, params.jobId),
  }),
  operation({
    ...common,
    id: "watchJob",
    method: "GET",
    path: "/v1/jobs/:jobId/events",
    summary: "Follow work in the background, as server-sent events.",
    description: "One `data:` line with the job each time it changes; the stream ends when the job is over.",
    params: JobParams,
    response: { 200: Job },
    stream: true,
    problems: ["not_found"],
    async handle(app, caller, { params }) {
      await getJob(app, caller, params.jobId);
      return new EventStream((signal) => watchJob(app, caller, params.jobId, signal));
    },
  }),
];

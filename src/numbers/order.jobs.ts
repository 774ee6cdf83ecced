import { z } from "zod";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { JobFailure, type JobHandler } from "../jobs/worker.ts";
import type { RequestRow } from "./move-request.ts";
import { orderNumbers } from "./order-numbers.ts";

export const ORDER_JOB = "order_numbers";

/** When a request is looked at again whose job was lost for whatever reason. */
const SAFETY_MS = 5 * 60_000;

const Payload = z.object({ requestId: z.string() });

/** One job for a request at a time. */
export async function enqueueOrder(app: App, tx: Tx, request: RequestRow): Promise<void> {
  await app.queue.enqueue(tx, {
    kind: ORDER_JOB,
    partnerId: request.partner_id,
    accountId: request.account_id,
    organizationId: request.organization_id,
    payload: { requestId: request.id },
    key: request.id,
  });
}

/** For {@link enqueueOrder}: the time to write down as the next look at the request. */
export function safetyTime(app: App): Date {
  return new Date(app.now().getTime() + SAFETY_MS);
}

export const orderNumbersHandler: JobHandler = async (app, job) => {
  const payload = Payload.safeParse(job.payload);
  if (!payload.success) throw new JobFailure("bad_payload", "This job does not say which request it is for.");
  await orderNumbers(app, payload.data.requestId, job.signal);
};

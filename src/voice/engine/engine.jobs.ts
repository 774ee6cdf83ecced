import { z } from "zod";
import type { App } from "../../context.ts";
import { type OwnerColumns, ownerOf } from "../../conversations/conversation.ts";
import type { Tx } from "../../db/database.ts";
import { findUnfinished } from "../../jobs/jobs.service.ts";
import { JobFailure, type JobHandler } from "../../jobs/worker.ts";
import type { IntegrationRow } from "../integration-row.ts";
import { bringAssistant } from "./bring-assistant.ts";
import { bringNumber } from "./bring-number.ts";

export const ENGINE_JOB = "voice_engine";

/** Every five minutes at last: a provider that is down for a week is no reason to forget what it was to be told. */
const MAX_ATTEMPTS = 10_000;

const Payload = z.object({ integrationId: z.uuid(), numberIds: z.array(z.int()) });

/**
 * Leaves it to a job to bring the engine to a change of an integration, once this transaction has committed. An engine
 * that reads the configuration with each call need not be told of anything but numbers.
 */
export async function tellEngine(
  app: App,
  tx: Tx,
  row: IntegrationRow,
  earlierNumberId: number | null,
): Promise<void> {
  const isToldAll = app.voiceEngines[row.engine]?.assistants !== null;
  if (isToldAll || row.number_id !== earlierNumberId)
    await enqueueEngine(app, tx, row, String(row.version), [earlierNumberId, row.number_id]);
}

/** The same for an integration whose row goes with this transaction. */
export async function forgetAtEngine(app: App, tx: Tx, row: IntegrationRow): Promise<void> {
  const isToldAll = app.voiceEngines[row.engine]?.assistants !== null;
  if (isToldAll || row.number_id !== null) await enqueueEngine(app, tx, row, "removed", [row.number_id]);
}

/** Tells the engine of an integration as it is, although nothing changed here. */
export async function retellEngine(app: App, tx: Tx, row: IntegrationRow): Promise<void> {
  await enqueueEngine(app, tx, row, String(row.version), [row.number_id]);
}

/** Each change has a job of its own: one that is running already may have looked before this commit. */
async function enqueueEngine(
  app: App,
  tx: Tx,
  row: OwnerColumns & { id: string },
  change: string,
  numberIds: readonly (number | null)[],
): Promise<void> {
  const known = [...new Set(numberIds)].filter((id) => id !== null);
  await app.queue.enqueue(tx, {
    ...ownerOf(row),
    kind: ENGINE_JOB,
    payload: { integrationId: row.id, numberIds: known } satisfies z.input<typeof Payload>,
    key: keyOf(row.id, change),
    maxAttempts: MAX_ATTEMPTS,
  });
}

/** The job that has not ended yet, of a change. */
export async function findEngineJob(
  tx: Tx,
  integrationId: string,
  change: string,
): Promise<string | undefined> {
  return findUnfinished(tx, ENGINE_JOB, keyOf(integrationId, change));
}

/** An assistant is there before calls come to it, and goes when none come any more. */
export const voiceEngineHandler: JobHandler = async (app, job) => {
  const payload = Payload.safeParse(job.payload);
  if (!payload.success) throw new JobFailure("bad_payload", "This job does not say what it is for.");
  const { integrationId, numberIds } = payload.data;
  for (const numberId of numberIds) await bringNumber(app, job, numberId);
  await bringAssistant(app, job, integrationId);
};

function keyOf(integrationId: string, change: string): string {
  return `${integrationId} ${change}`;
}

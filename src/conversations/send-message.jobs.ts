import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { App } from "../context.ts";
import type { Tenant, Tx } from "../db/database.ts";
import { JobFailure, type JobHandler } from "../jobs/worker.ts";
import { ProviderError } from "../ports/provider-error.ts";
import { ownerOf } from "./conversation.ts";

export const SEND_JOB = "send_message";
/** About eight minutes: a later answer helps nobody, and is better seen as one that failed. */
export const SEND_ATTEMPTS = 9;

const WAIT_STEP_MS = 100;
const WAIT_MAX_MS = 5_000;

const Payload = z.object({ workspaceId: z.int(), messageId: z.int() });

/** Takes a human's message out through its conversation's channel, after those written before it. */
export const sendMessageHandler: JobHandler = async (app, job) => {
  const payload = Payload.safeParse(job.payload);
  if (!payload.success || job.accountId === null)
    throw new JobFailure("bad_payload", "This job does not say which message to send.");
  const { workspaceId, messageId } = payload.data;
  const tenant: Tenant = { partnerId: job.partnerId, accountId: job.accountId, workspaceId };
  try {
    await sendInOrder(app, tenant, messageId, job.signal);
  } catch (error) {
    const final = job.isLastAttempt || error instanceof JobFailure;
    if (final && !job.signal.aborted) await settle(app, tenant, messageId, "failed");
    throw error;
  }
};

async function sendInOrder(app: App, tenant: Tenant, messageId: number, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += WAIT_STEP_MS) {
    const found = await app.db.asTenant(tenant, (tx) => findOutgoing(tx, messageId), "background");
    // Erased meanwhile, or sent by an attempt whose end was never written.
    if (found === undefined) return;
    if (!found.waits) return send(app, tenant, found, signal);
    if (waitedMs >= WAIT_MAX_MS)
      throw new Error("an earlier message of the conversation is still on its way");
    await sleep(WAIT_STEP_MS, undefined, { signal });
  }
}

type Outgoing = NonNullable<Awaited<ReturnType<typeof findOutgoing>>>;

async function send(app: App, tenant: Tenant, found: Outgoing, signal: AbortSignal): Promise<void> {
  const sender = app.channelSenders[found.channel];
  if (sender === undefined)
    throw new JobFailure("channel_unavailable", `Nothing here sends through the channel ${found.channel}.`);
  const message = {
    id: found.id,
    text: found.text,
    conversationId: found.conversation_id,
    sessionId: found.session_id,
    contactId: found.contact_id,
  };
  try {
    await sender.send(app, ownerOf(found), message, signal);
  } catch (error) {
    if (error instanceof ProviderError && !error.retryable)
      throw new JobFailure(error.code, "The channel refused this message.", { cause: error });
    throw error;
  }
  await settle(app, tenant, found.id, "complete");
}

async function findOutgoing(tx: Tx, messageId: number) {
  return tx
    .selectFrom("messages as message")
    .innerJoin("conversations", "conversations.id", "message.conversation_id")
    .selectAll("message")
    .select(["conversations.channel", "conversations.session_id", "conversations.contact_id"])
    .select((eb) =>
      eb
        .exists(
          eb
            .selectFrom("messages as earlier")
            .select("earlier.id")
            .whereRef("earlier.conversation_id", "=", "message.conversation_id")
            .whereRef("earlier.id", "<", "message.id")
            .where("earlier.status", "=", "pending"),
        )
        .as("waits"),
    )
    .where("message.id", "=", messageId)
    .where("message.status", "=", "pending")
    .executeTakeFirst();
}

async function settle(app: App, tenant: Tenant, id: number, status: "complete" | "failed"): Promise<void> {
  await app.db.asTenant(
    tenant,
    (tx) =>
      tx
        .updateTable("messages")
        .set({ status })
        .where("id", "=", id)
        .where("status", "=", "pending")
        .execute(),
    "background",
  );
}

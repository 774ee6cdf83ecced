import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { App } from "../context.ts";
import type { ChannelSender, OutgoingMessage } from "../conversations/channel.ts";
import type { ConversationOwner } from "../conversations/conversation.ts";
import type { Tx } from "../db/database.ts";
import { ProviderError } from "../ports/provider-error.ts";
import { findLiveConnection } from "./connection.ts";
import type { ContactRow } from "./contacts.ts";
import { TEXT_MAX } from "./format.ts";
import { queueOutgoing } from "./outgoing.ts";

const WAIT_STEP_MS = 100;
const WAIT_MAX_MS = 10_000;

/** Takes what a human writes in the console, or through the API, out through the same outbox as every answer. */
export const whatsappSender: ChannelSender = {
  textMax: TEXT_MAX,
  async send(app, owner, message, signal) {
    await app.db.asTenant(owner, (tx) => queueOnce(app, tx, owner, message));
    for (let waitedMs = 0; waitedMs < WAIT_MAX_MS; waitedMs += WAIT_STEP_MS) {
      const sent = await app.db.asTenant(owner, (tx) => findSent(tx, owner, message), "background");
      if (sent === undefined) throw refused("The person was erased.");
      if (sent.state === "failed") throw refused(reasonOf(sent.error));
      if (sent.state === "unknown") throw refused("Meta did not say whether it took the message.");
      if (sent.state !== "pending" && sent.state !== "sending") return;
      await sleep(WAIT_STEP_MS, undefined, { signal });
    }
    // The job comes back, and finds the message where it left it.
    throw new Error("the message is still on its way to Meta");
  },
};

/** @throws ProviderError when there is nobody, or no number, to send it with */
async function queueOnce(
  app: App,
  tx: Tx,
  owner: ConversationOwner,
  message: OutgoingMessage,
): Promise<void> {
  if ((await findSent(tx, owner, message)) !== undefined) return;
  const person = await findPerson(tx, owner.workspaceId, message);
  if (person === undefined) throw refused("The person is not known at this number any more.");
  const connection = await findLiveConnection(tx, owner.workspaceId);
  if (connection === undefined || connection.phone_number_id !== person.phone_number_id)
    throw refused("The number that this person wrote to is not connected any more.");
  await queueOutgoing(app, tx, {
    connectionId: connection.id,
    person,
    conversationId: message.conversationId,
    messageId: message.id,
    kind: "human",
    replyKey: replyKeyOf(message),
    texts: [message.text],
  });
}

/** By the name that the conversation was opened with; two rows that became one have left the other's behind. */
async function findPerson(
  tx: Tx,
  workspaceId: number,
  { sessionId, contactId }: OutgoingMessage,
): Promise<ContactRow | undefined> {
  return tx
    .selectFrom("whatsapp_contacts")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where((eb) => eb.or([eb(eb.cast("id", "text"), "=", sessionId), eb("contact_id", "=", contactId)]))
    .orderBy((eb) => eb(eb.cast("id", "text"), "=", sessionId), "desc")
    .orderBy("last_inbound_at", "desc")
    .limit(1)
    .executeTakeFirst();
}

async function findSent(tx: Tx, { workspaceId }: ConversationOwner, message: OutgoingMessage) {
  return tx
    .selectFrom("whatsapp_messages")
    .select(["state", "error"])
    .where("workspace_id", "=", workspaceId)
    .where("reply_key", "=", replyKeyOf(message))
    .executeTakeFirst();
}

function replyKeyOf({ id }: OutgoingMessage): string {
  return `human ${id}`;
}

function reasonOf(error: unknown): string {
  const kept = z.looseObject({ message: z.string() }).safeParse(error);
  return kept.data?.message ?? "Meta refused the message.";
}

function refused(message: string): ProviderError {
  return new ProviderError(message, { provider: "meta", code: "rejected", retryable: false });
}

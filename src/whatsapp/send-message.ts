import { z } from "zod";
import type { AccountDirectory } from "../accounts/account-directory.ts";
import type { App } from "../context.ts";
import type { Tenant, Tx } from "../db/database.ts";
import type { Messenger } from "../ports/messenger.ts";
import { type ConnectionRow, openToken } from "./connection.ts";
import type { ContactRow } from "./contacts.ts";
import type { ClaimedMessage } from "./send-claim.ts";
import type { SendGate } from "./send-gate.ts";
import { settleAccepted, settleFailure } from "./send-settle.ts";
import { failMessage, inMs, ours, type Ready } from "./send-state.ts";

/** What sending takes besides the message. */
export interface Sending {
  messenger: Messenger;
  gate: SendGate;
  directory: AccountDirectory;
  /** How long a status is waited for when Meta's answer never came. */
  graceMs: number;
}

const TIMEOUT_MS = 20_000;
const WINDOW_MS = 24 * 3_600_000;
/** Somebody watches a message of their own: one that is stuck this long is better seen as failed. */
const HUMAN_MS = 8 * 60_000;
const SUSPENDED_AGAIN_MS = 15_000;
const PER_SECOND = 80;
const PER_SECOND_COEXISTENCE = 20;

const Body = z.record(z.string(), z.unknown());

/** One message, to Meta and back. What happens to it is written before and after, never while Meta is asked. */
export async function sendMessage(app: App, sending: Sending, claimed: ClaimedMessage): Promise<void> {
  const { messenger, gate, directory, graceMs } = sending;
  const tenant: Tenant = {
    partnerId: claimed.partner_id,
    accountId: claimed.account_id,
    workspaceId: claimed.workspace_id,
  };
  const standing = await directory.find(claimed.partner_id, claimed.account_id);
  await gate.pass(claimed.phone_number_id, claimed.is_coexistence ? PER_SECOND_COEXISTENCE : PER_SECOND);
  const ready = await app.db.asTenant(
    tenant,
    (tx) => begin(app, tx, claimed, standing === "active"),
    "background",
  );
  if (ready === null) return;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const wamid = await messenger.send(
      openToken(app, ready.connection),
      claimed.phone_number_id,
      ready.to,
      ready.body,
      claimed.id,
      signal,
    );
    await app.db.asTenant(tenant, (tx) => settleAccepted(tx, claimed, wamid), "background");
  } catch (error) {
    await settleFailure(app, { gate, graceMs }, tenant, claimed, ready, error);
  }
}

/**
 * Everything is looked at once more, now that it is this message's turn. From here on it counts as being sent: should
 * the process end before Meta's answer is written, nobody knows whether it went out. `null`: not now, or never.
 */
async function begin(app: App, tx: Tx, claimed: ClaimedMessage, isActive: boolean): Promise<Ready | null> {
  const message = await tx
    .selectFrom("whatsapp_messages")
    .selectAll()
    .where("id", "=", claimed.id)
    .where("attempts", "=", claimed.attempts)
    .where("state", "=", "pending")
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (message === undefined) return null;
  const connection = await findConnection(tx, claimed);
  const person = await tx
    .selectFrom("whatsapp_contacts")
    .selectAll()
    .where("id", "=", message.contact_id)
    .executeTakeFirst();
  if (connection === undefined || person === undefined) return null;
  const never = whyNever(app, message, connection, person);
  if (never !== null) {
    await failMessage(tx, claimed, { code: never.code, message: never.message });
    return null;
  }
  if (connection.status !== "active" || !isActive) {
    const afterMs = isActive ? 0 : SUSPENDED_AGAIN_MS;
    await ours(tx, claimed)
      .set({
        lease_until: null,
        attempts: claimed.attempts - 1,
        due_at: inMs(afterMs),
      })
      .execute();
    return null;
  }
  await ours(tx, claimed).set({ state: "sending" }).execute();
  return {
    connection,
    contactId: person.id,
    kind: message.kind,
    to: { phone: person.phone, bsuid: person.bsuid },
    body: Body.parse(message.body),
  };
}

function whyNever(
  app: App,
  { kind, created_at }: { kind: Ready["kind"]; created_at: Date },
  connection: ConnectionRow,
  person: ContactRow,
): { code: string; message: string } | null {
  const nowMs = app.now().getTime();
  const writtenMs = person.last_inbound_at?.getTime() ?? 0;
  if (/^disconnect/.test(connection.status))
    return { code: "disconnected", message: "The number was disconnected before this could be sent." };
  if (kind === "human" && connection.status !== "active")
    return { code: connection.status, message: "The number cannot send just now; see its connection." };
  if (nowMs - writtenMs >= WINDOW_MS)
    return { code: "outside_window", message: "The person last wrote more than 24 hours ago." };
  if (kind === "human" && nowMs - created_at.getTime() > HUMAN_MS)
    return { code: "too_late", message: "It could not be sent for eight minutes." };
  if (kind !== "answer") return null;
  if (person.opted_out_at !== null)
    return { code: "opted_out", message: "The person wants no more messages." };
  if (person.bot_paused_until !== null && person.bot_paused_until.getTime() > nowMs)
    return { code: "human_answered", message: "A human answered on the phone meanwhile." };
  return null;
}

async function findConnection(tx: Tx, { id }: ClaimedMessage): Promise<ConnectionRow | undefined> {
  return tx
    .selectFrom("whatsapp_connections")
    .selectAll()
    .where("id", "=", (eb) =>
      eb.selectFrom("whatsapp_messages").select("connection_id").where("whatsapp_messages.id", "=", id),
    )
    .executeTakeFirst();
}

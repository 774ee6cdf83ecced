import type { App } from "../context.ts";
import { changeSaid } from "../conversations/change-said.ts";
import type { ConversationState } from "../conversations/conversation.ts";
import { ownerOf } from "../conversations/conversation.ts";
import { openConversation } from "../conversations/open-conversation.ts";
import { readHistory } from "../conversations/read-history.ts";
import { recordHumanMessage } from "../conversations/record-human.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { findWorkspaceById, type WorkspaceRow } from "../workspaces/find.ts";
import { type Claim, type ClaimedRow, finish } from "./answer-claim.ts";
import { turnIdOf } from "./answer-turn-id.ts";
import type { ConnectionRow } from "./connection.ts";
import { type ContactRow, changePhone, resolvePerson } from "./contacts.ts";
import {
  type InboundContent,
  type InboundMessage,
  type InboundPerson,
  readEcho,
  readInbound,
} from "./inbound.ts";
import { type OptOutWish, wishOf } from "./opt-out.ts";

/** Something that was said to us and is to be answered, or kept. */
export interface Said {
  row: ClaimedRow;
  message: InboundMessage;
  content: Extract<InboundContent, { kind: "text" | "media" | "voice" | "unsupported" }>;
}

/** Who talks to whom, and what was said. */
export interface Scene {
  caller: AccountCaller;
  workspace: WorkspaceRow;
  connection: ConnectionRow;
  person: ContactRow;
  conversation: ConversationState;
  /** In the order it was said; never empty. */
  said: readonly Said[];
  /** What the person said earlier, for telling their language. */
  before: readonly string[];
  wish: OptOutWish;
  /** Why nothing is answered; null: something is. */
  silence: "opted_out" | "human" | "late" | "suspended" | null;
}

/** A human who answers on the phone is left alone for this long. */
const PAUSE_MS = 12 * 3_600_000;
/** An assistant that answers after an outage what was asked the day before looks broken. */
const LATE_MS = 3_600_000;
const BEFORE_MESSAGES = 6;
/** An edit or a deletion finds its message among the turns that were made of so many later ones. */
const LATER_ROWS = 60;

/**
 * Everything about the claimed messages that needs no answer is done, in one transaction; the rest is the scene.
 * `null`: nothing is left.
 */
export async function enterScene(app: App, claim: Claim, isSuspended: boolean): Promise<Scene | null> {
  const { first, rows } = claim;
  const caller: AccountCaller = {
    partnerId: first.partner_id,
    accountId: first.account_id,
    workspaceId: first.workspace_id,
    actor: { kind: "system", id: null },
    requestId: app.newId(),
  };
  return app.db.asTenant(
    caller,
    async (tx) => {
      const read = rows.flatMap(readRow);
      const [workspace, connection] = [
        await findWorkspaceById(tx, first.workspace_id),
        await findConnection(tx, first.connection_id),
      ];
      const isOver = connection === undefined || /^disconnect/.test(connection.status);
      const isNothing = read.every(({ message }) => message.content.kind === "nothing");
      if (workspace === undefined || isOver || isNothing) {
        await finish(tx, rows);
        return null;
      }
      const { person, conversation } = await open(app, tx, claim, read);
      const said = await settleRest(app, tx, person, conversation, read);
      const kept = new Set(said.map(({ row }) => row));
      await finish(
        tx,
        rows.filter((row) => !kept.has(row)),
      );
      if (said.length === 0) return null;
      const now = await findPerson(tx, person.id);
      const wish = said.map(wishOfOne).findLast((one) => one !== null) ?? null;
      return {
        ...{ caller, workspace, connection, conversation, said, wish, person: now },
        before: await readBefore(tx, conversation.id),
        silence: silenceOf(app, now, conversation, said, isSuspended),
      };
    },
    "background",
  );
}

interface ReadRow {
  row: ClaimedRow;
  message: InboundMessage;
}

/** What is nothing that Meta documents, or names nobody, is left out; its row is done with the rest. */
function readRow(row: ClaimedRow): ReadRow[] {
  const read = row.kind === "echo" ? readEcho : readInbound;
  const message = read(row.raw, row.received_at);
  if (message === undefined || (message.person.bsuid === null && message.person.phone === null)) return [];
  return [{ row, message }];
}

async function open(app: App, tx: Tx, { first }: Claim, read: readonly ReadRow[]) {
  const wanted: InboundPerson = {
    bsuid: read.findLast(({ message }) => message.person.bsuid !== null)?.message.person.bsuid ?? null,
    phone: read.findLast(({ message }) => message.person.phone !== null)?.message.person.phone ?? null,
    name: read.findLast(({ message }) => message.person.name !== null)?.message.person.name ?? null,
  };
  let person = await resolvePerson(app, tx, first, first.phone_number_id, wanted);
  for (const { message } of read) {
    if (message.content.kind === "moved") person = await changePhone(app, tx, person, message.content.phone);
  }
  const conversation = await openConversation(app, tx, ownerOf(first), {
    channel: "whatsapp",
    sessionId: person.id,
    threadSlug: null,
    contactId: person.contact_id,
  });
  await tx
    .updateTable("whatsapp_contacts")
    .set((eb) => ({
      conversation_id: conversation.id,
      last_inbound_at: eb.fn<Date | null>("greatest", ["last_inbound_at", eb.val(lastWrittenAt(read))]),
    }))
    .where("id", "=", person.id)
    .execute();
  return { person, conversation };
}

/** What opens the window in which anything may be sent; what a human of the business writes does not. */
function lastWrittenAt(read: readonly ReadRow[]): Date | null {
  const times = read
    .filter(({ row, message }) => row.kind === "message" && isSaid(message.content))
    .map(({ message }) => message.at.getTime());
  return times.length === 0 ? null : new Date(Math.max(...times));
}

/** Echoes, edits and deletions are worked in; what is left was said to us. */
async function settleRest(
  app: App,
  tx: Tx,
  person: ContactRow,
  conversation: ConversationState,
  read: readonly ReadRow[],
): Promise<Said[]> {
  const said: Said[] = [];
  for (const { row, message } of read) {
    const { content } = message;
    if (row.kind === "echo") await settleEcho(app, tx, person, conversation, row, message);
    else if (isSaid(content)) said.push({ row, message, content });
    else if (content.kind === "edit" || content.kind === "revoke") {
      const here = said.findIndex((one) => one.message.wamid === content.wamid);
      if (here === -1) await changeStored(tx, person, conversation, content);
      else said.splice(here, 1, ...edited(said[here], content));
    }
  }
  return said;
}

function isSaid(content: InboundContent): content is Said["content"] {
  return ["text", "media", "voice", "unsupported"].includes(content.kind);
}

type Change = Extract<InboundContent, { kind: "edit" | "revoke" }>;

function edited(one: Said | undefined, change: Change): Said[] {
  if (one === undefined || change.kind === "revoke") return [];
  if (change.text === null || one.content.kind === "voice" || one.content.kind === "unsupported")
    return [one];
  const content =
    one.content.kind === "text"
      ? { ...one.content, text: change.text }
      : { ...one.content, caption: change.text };
  return [{ ...one, content }];
}

/** It was stored as a part of its turn, whose id follows from the last message of the turn. */
async function changeStored(
  tx: Tx,
  person: ContactRow,
  conversation: ConversationState,
  change: Change,
): Promise<void> {
  const original = await tx
    .selectFrom("whatsapp_inbox")
    .select(["id", "raw", "contact_key", "received_at"])
    .where("phone_number_id", "=", person.phone_number_id)
    .where("kind", "=", "message")
    .where("key", "=", change.wamid)
    .executeTakeFirst();
  const content = original && readInbound(original.raw, original.received_at)?.content;
  const text = content?.kind === "text" ? content.text : content?.kind === "media" ? content.caption : null;
  if (original === undefined || !text) return;
  const later = await tx
    .selectFrom("whatsapp_inbox")
    .select("id")
    .where("phone_number_id", "=", person.phone_number_id)
    .where("contact_key", "=", original.contact_key)
    .where("kind", "=", "message")
    .where("id", ">=", original.id)
    .orderBy("id")
    .limit(LATER_ROWS)
    .execute();
  const now = change.kind === "revoke" ? "[deleted]" : change.text;
  await changeSaid(tx, conversation.id, later.map(turnIdOf), (whole) =>
    now === null || !whole.includes(text) ? null : whole.replace(text, () => now),
  );
}

async function settleEcho(
  app: App,
  tx: Tx,
  person: ContactRow,
  conversation: ConversationState,
  row: ClaimedRow,
  { content, wamid, at }: InboundMessage,
): Promise<void> {
  const text =
    content.kind === "text"
      ? content.text
      : content.kind === "media"
        ? (content.caption ?? content.label)
        : null;
  if (text === null && content.kind !== "voice") return;
  const ours = await tx
    .selectFrom("whatsapp_messages")
    .select("id")
    .where("wamid", "=", wamid)
    .executeTakeFirst();
  if (ours !== undefined) return;
  await recordHumanMessage(app, tx, ownerOf(row), conversation.id, {
    text: text ?? "[audio]",
    at,
    status: "complete",
    // On WhatsApp for a while, and by the person: see `bot_paused_until`.
    pause: false,
  });
  await tx
    .updateTable("whatsapp_contacts")
    .set((eb) => ({
      bot_paused_until: eb.fn<Date>("greatest", [
        "bot_paused_until",
        eb.val(new Date(at.getTime() + PAUSE_MS)),
      ]),
    }))
    .where("id", "=", person.id)
    .execute();
}

function wishOfOne({ message, content }: Said): OptOutWish {
  const wish = message.payload === null ? null : wishOf(message.payload);
  return wish ?? (content.kind === "text" ? wishOf(content.text) : null);
}

function silenceOf(
  app: App,
  person: ContactRow,
  conversation: ConversationState,
  said: readonly Said[],
  isSuspended: boolean,
): Scene["silence"] {
  const nowMs = app.now().getTime();
  if (isSuspended) return "suspended";
  if (said.every(({ message }) => message.at.getTime() < nowMs - LATE_MS)) return "late";
  if (person.opted_out_at !== null) return "opted_out";
  const isPaused = person.bot_paused_until !== null && person.bot_paused_until.getTime() > nowMs;
  return isPaused || conversation.bot_paused ? "human" : null;
}

async function readBefore(tx: Tx, conversationId: string): Promise<string[]> {
  const history = await readHistory(tx, conversationId, BEFORE_MESSAGES, 0);
  return history.filter(({ role }) => role === "user").map(({ text }) => text);
}

async function findConnection(tx: Tx, id: string): Promise<ConnectionRow | undefined> {
  return tx.selectFrom("whatsapp_connections").selectAll().where("id", "=", id).executeTakeFirst();
}

async function findPerson(tx: Tx, id: string): Promise<ContactRow> {
  return tx.selectFrom("whatsapp_contacts").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
}

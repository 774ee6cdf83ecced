import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { fixedQuery } from "../db/fixed-query.ts";
import type { ConversationAddress, ConversationOwner, ConversationState } from "./conversation.ts";

/** Where a conversation is opened, and with whom. */
export interface NewConversation extends ConversationAddress {
  /** The person's contact, where it is known; a conversation without one gets it. */
  contactId?: string | null;
}

/**
 * The conversation of this address, made if there is none; one statement. Two that make the same one at once get the
 * same. A thread is found, never made: `undefined` when there is none of that slug.
 */
export async function openConversation(
  app: App,
  tx: Tx,
  owner: ConversationOwner,
  wanted: NewConversation & { threadSlug: string },
): Promise<ConversationState | undefined>;
export async function openConversation(
  app: App,
  tx: Tx,
  owner: ConversationOwner,
  wanted: NewConversation & { threadSlug: null },
): Promise<ConversationState>;
export async function openConversation(
  app: App,
  tx: Tx,
  owner: ConversationOwner,
  wanted: NewConversation,
): Promise<ConversationState | undefined>;
export async function openConversation(
  app: App,
  tx: Tx,
  owner: ConversationOwner,
  wanted: NewConversation,
): Promise<ConversationState | undefined> {
  const found =
    wanted.threadSlug === null
      ? await getOrCreate(app, tx, owner, wanted)
      : await findThreadState(tx, owner.workspaceId, wanted.threadSlug);
  const contactId = wanted.contactId ?? null;
  if (found === undefined || contactId === null || found.contact_id !== null) return found;
  await tx
    .updateTable("conversations")
    .set({ contact_id: contactId, updated_at: app.now() })
    .where("id", "=", found.id)
    .where("contact_id", "is", null)
    .execute();
  return { ...found, contact_id: contactId };
}

async function findThreadState(tx: Tx, workspaceId: number, slug: string) {
  const { rows } = await tx.executeQuery(threadOf(tx, workspaceId, slug).compile());
  return rows[0];
}

async function getOrCreate(
  app: App,
  tx: Tx,
  { partnerId, accountId, organizationId, workspaceId }: ConversationOwner,
  { channel, sessionId, contactId }: NewConversation,
): Promise<ConversationState> {
  // A second time when another transaction made it meanwhile: the first statement does not see what came after it.
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const query = foundOrMade(
      tx,
      partnerId,
      accountId,
      organizationId,
      workspaceId,
      app.newId(),
      channel,
      sessionId,
      sessionId ?? "",
      contactId ?? null,
      app.now(),
    );
    const { rows } = await tx.executeQuery(query.compile());
    if (rows[0] !== undefined) return rows[0];
  }
  throw new Error("a conversation that exists could not be read");
}

const foundOrMade = fixedQuery(
  (
    db: Tx,
    partnerId: string,
    accountId: string,
    organizationId: number,
    workspaceId: number,
    id: string,
    channel: string,
    sessionId: string | null,
    sessionKey: string,
    contactId: string | null,
    now: Date,
  ) => ({
    compile: () =>
      sql<ConversationState>`
        with found as (
          select * from conversations where workspace_id = ${workspaceId} and channel = ${channel}
            and session_key = ${sessionKey} and thread_slug is null
        ), made as (
          insert into conversations (partner_id, account_id, organization_id, workspace_id, id, channel, session_id,
            contact_id, last_message_at, created_at, updated_at)
          select ${partnerId}::uuid, ${accountId}::uuid, ${organizationId}::integer, ${workspaceId}::integer,
            ${id}::uuid, ${channel}::text, ${sessionId}::text, ${contactId}::uuid,
            ${now}::timestamptz, ${now}::timestamptz, ${now}::timestamptz
          where not exists (select from found)
          on conflict do nothing returning *
        )
        select ${STATE} from found union all select ${STATE} from made`.compile(db),
  }),
);

const threadOf = fixedQuery((db: Tx, workspaceId: number, slug: string) => ({
  compile: () =>
    sql<ConversationState>`select ${STATE} from conversations
      where workspace_id = ${workspaceId} and thread_slug = ${slug}`.compile(db),
}));

const STATE = sql.raw(
  "id, channel, contact_id, session_id, thread_slug, name, status, bot_paused, forgotten_until",
);

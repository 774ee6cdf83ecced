import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { type ConversationOwner, type ConversationRow, ownerColumns } from "./conversation.ts";

/** A conversation that was given a name of its own. */
export type ThreadRow = ConversationRow & { thread_slug: string; name: string };

/** `undefined` when the workspace has a thread of that slug. */
export async function createThread(
  app: App,
  tx: Tx,
  owner: ConversationOwner,
  { slug, name }: { slug: string; name: string },
): Promise<ThreadRow | undefined> {
  const now = app.now();
  const row = await tx
    .insertInto("conversations")
    .values({
      ...ownerColumns(owner),
      id: app.newId(),
      channel: "api",
      thread_slug: slug,
      name,
      last_message_at: now,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? undefined : asThread(row);
}

export async function findThread(tx: Tx, workspaceId: number, slug: string): Promise<ThreadRow | undefined> {
  const row = await tx
    .selectFrom("conversations")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("thread_slug", "=", slug)
    .executeTakeFirst();
  return row === undefined ? undefined : asThread(row);
}

export async function renameThread(
  app: App,
  tx: Tx,
  workspaceId: number,
  slug: string,
  name: string,
): Promise<ThreadRow | undefined> {
  const row = await tx
    .updateTable("conversations")
    .set({ name, updated_at: app.now() })
    .where("workspace_id", "=", workspaceId)
    .where("thread_slug", "=", slug)
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? undefined : asThread(row);
}

/** With all that was said in it; its id, or `undefined` when there was none. */
export async function deleteThread(tx: Tx, workspaceId: number, slug: string): Promise<string | undefined> {
  const row = await tx
    .deleteFrom("conversations")
    .where("workspace_id", "=", workspaceId)
    .where("thread_slug", "=", slug)
    .returning("id")
    .executeTakeFirst();
  return row?.id;
}

/** Safe: a row that has a `thread_slug` was made by {@link createThread}, which gives it a name. */
function asThread(row: ConversationRow): ThreadRow {
  return row as ThreadRow;
}

import { sql } from "kysely";
import type { App } from "../src/context.ts";
import type { ConversationOwner } from "../src/conversations/conversation.ts";

let next = 0;

/** An active number of the organization, as a superadmin would have attached it. */
export async function insertNumber(
  app: App,
  { partnerId, accountId, organizationId }: Omit<ConversationOwner, "workspaceId">,
  number = `+39${process.pid}${String(++next).padStart(6, "0")}`.slice(0, 15),
): Promise<number> {
  return app.db.asSystem("superadmin", async (tx) => {
    const { rows } = await sql<{ id: number }>`
      insert into numbers (partner_id, account_id, organization_id, number, country, number_type, can_voice, can_sms,
        provider)
      values (${partnerId}, ${accountId}, ${organizationId}, ${number}, 'IT', 'local', true, false, 'manual')
      returning id`.execute(tx);
    const [row] = rows;
    if (row === undefined) throw new Error("the number was not inserted");
    return row.id;
  });
}

import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { hex, testServer } from "../../test/support.ts";
import { eraseConversations } from "./conversations.erase.ts";
import { newRoom as makeRoom, type Room } from "./test-support.ts";

const server = await testServer();
const { app } = server;

const TABLES = ["contacts", "contact_identities", "conversations", "messages"] as const;

/** A workspace with a person in it, more messages than one transaction erases, and more conversations. */
async function newFullRoom(): Promise<Room> {
  const room = await makeRoom(server);
  const contactId = await room.know([{ kind: "phone", value: "+390612345678" }], "Ada");
  const id = await room.say(
    { channel: "whatsapp", sessionId: "+390612345678", contactId },
    { asked: "Hello" },
  );
  await room.run(async (tx) => {
    await sql`insert into messages (partner_id, account_id, organization_id, workspace_id, conversation_id, turn_id,
        role, text, created_at)
      select partner_id, account_id, organization_id, workspace_id, id, gen_random_uuid(), 'user', 'Again', now()
      from conversations, generate_series(1, 2100) where id = ${id}`.execute(tx);
    await sql`insert into conversations (partner_id, account_id, organization_id, workspace_id, id, channel, session_id,
        last_message_at)
      select partner_id, account_id, organization_id, workspace_id, gen_random_uuid(), channel, 'session ' || n, now()
      from conversations, generate_series(1, 120) n where id = ${id}`.execute(tx);
  });
  return room;
}

/** Rows of each table that are left of the organization. */
async function left({ owner }: Room): Promise<number[]> {
  return app.db.asSystem("superadmin", async (tx) => {
    const counts: number[] = [];
    for (const table of TABLES) {
      const { rows } = await sql<{ count: number }>`select count(*) from ${sql.table(table)}
        where organization_id = ${owner.organizationId}`.execute(tx);
      counts.push(rows[0]?.count ?? -1);
    }
    return counts;
  });
}

describe("an erasure removes every conversation and every person of", () => {
  test.each([
    ["a workspace", ({ world, path }: Room) => world.api.delete(path)],
    ["an organization", ({ world }: Room) => world.api.delete(`/v1/org/${hex(world.orgSlug)}`)],
    [
      "an account",
      ({ world }: Room) => world.api.delete(`/v1/accounts/${world.accountId}`, { confirm: "Acme" }),
    ],
  ])("%s, and nothing of another's", async (_what, erase) => {
    const [room, other] = [await newFullRoom(), await newFullRoom()];
    const before = await left(other);
    expect(before).toEqual([1, 1, 121, 2102]);
    expect((await erase(room)).body).toEqual({ success: true });
    expect(await left(room)).toEqual([0, 0, 0, 0]);
    expect(await left(other)).toEqual(before);
  });

  test("its target only, and can be done twice, or stopped", async () => {
    const [room, other] = [await newFullRoom(), await newFullRoom()];
    const target = { level: "workspace", ...room.owner } as const;
    await expect(eraseConversations.erase(app, target, AbortSignal.abort())).rejects.toThrow();
    expect((await left(room))[3]).toBe(2102);
    const signal = new AbortController().signal;
    await eraseConversations.erase(app, target, signal);
    await eraseConversations.erase(app, target, signal);
    expect((await left(room)).slice(2)).toEqual([0, 0]);
    expect((await left(other)).slice(2)).toEqual([121, 2102]);
  });
});

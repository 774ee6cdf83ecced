import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import { hex, startTestServer } from "../../test/support.ts";
import { RETENTION_JOB, retentionHandler } from "./retention.jobs.ts";
import { beginRetention } from "./retention.ts";
import { newRoom as makeRoom, type Room } from "./test-support.ts";

/** Of its own: a sweep looks at every workspace there is. */
const server = await startTestServer();
const { app } = server;
const newRoom = () => makeRoom(server);

const daysAgo = (days: number) => new Date(app.now().getTime() - days * 86_400_000);

const keepFor = ({ world, path }: Room, days: number | null) =>
  world.api.post(`${path}/update`, { retention_days: days });

/** Begins what is due and waits for it. */
async function sweep(): Promise<number> {
  const begun = await beginRetention(app);
  const jobs = await app.db.asSystem("jobs", (tx) =>
    tx.selectFrom("jobs").select("id").where("kind", "=", RETENTION_JOB).execute(),
  );
  for (const { id } of jobs) expect(await app.queue.wait(id, 20_000)).toMatchObject({ status: "succeeded" });
  return begun;
}

async function textsOf({ run }: Room): Promise<string[]> {
  const rows = await run((tx) => tx.selectFrom("messages").select("text").orderBy("id").execute());
  return rows.map(({ text }) => text);
}

describe("retention_days", () => {
  test("is a setting of a workspace, from a day to ten years", async () => {
    const room = await newRoom();
    expect((await room.world.api.get(room.path)).body.workspace.retention_days).toBeNull();
    for (const days of [1, 3650, null]) {
      expect((await keepFor(room, days)).body.workspace.retention_days).toBe(days);
      expect((await room.world.api.get(room.path)).body.workspace.retention_days).toBe(days);
    }
    const made = await room.world.api.post(`/v1/org/${hex(room.world.orgSlug)}/workspaces`, {
      name: "Short",
      retention_days: 30,
    });
    expect(made.body.workspace.retention_days).toBe(30);
    for (const wrong of [0, 3651, 1.5, "30"]) {
      const reply = await room.world.api.post(`${room.path}/update`, { retention_days: wrong });
      expectProblem(reply, "invalid_request");
      expectNamed(reply, "body.retention_days");
    }
  });
});

describe("the sweep", () => {
  test("removes what is older, and leaves what is not, in whichever conversation it is", async () => {
    const room = await newRoom();
    const [old, mixed] = [await room.know([{ kind: "external", value: "old" }]), await newPerson(room)];
    await room.say({ sessionId: "old", contactId: old }, { asked: "Old", at: daysAgo(40) });
    const id = await room.say(
      { sessionId: "mixed", contactId: mixed },
      { asked: "Older", at: daysAgo(31) },
      { asked: "Newer", at: daysAgo(29) },
    );
    await room.run((tx) =>
      sql`update contacts set created_at = ${daysAgo(50)}, updated_at = ${daysAgo(50)}`.execute(tx),
    );
    await room.call(id);
    await room.run((tx) => sql`update tool_calls set created_at = ${daysAgo(31)}`.execute(tx));
    await room.call(id);
    await keepFor(room, 30);
    await sweep();
    expect(await room.calls()).toBe(1);
    expect(await textsOf(room)).toEqual(["Newer", "Yes."]);
    const list = (await room.world.api.get(`${room.path}/conversations`)).body.conversations;
    expect(list).toMatchObject([{ id, message_count: 2, contact: { id: mixed } }]);
    const contacts = (await room.world.api.get(`${room.path}/contacts`)).body.contacts;
    expect(contacts.map((contact: { id: string }) => contact.id)).toEqual([mixed]);
    expect(await sweep()).toBe(0);
  });

  test("touches no workspace that keeps everything, nor one whose setting was taken back", async () => {
    const [forever, changed] = [await newRoom(), await newRoom()];
    await forever.say({}, { asked: "Old", at: daysAgo(4000) });
    await changed.say({}, { asked: "Old", at: daysAgo(40) });
    await keepFor(changed, 30);
    await keepFor(changed, null);
    expect(await sweep()).toBe(0);
    const result = await runJob(changed);
    expect(result).toEqual({ removed: 0 });
    expect([await textsOf(forever), await textsOf(changed)]).toEqual([
      ["Old", "Yes."],
      ["Old", "Yes."],
    ]);
  });

  test("goes on until nothing is left, in small transactions, one job a workspace", async () => {
    const room = await newRoom();
    const id = await room.say({}, { asked: "New" });
    await fill(room, id, 1_203);
    await keepFor(room, 7);
    const begun = await Promise.all([beginRetention(app), beginRetention(app)]);
    expect(begun).toEqual([1, 1]);
    await sweep();
    expect(await textsOf(room)).toEqual(["New", "Yes."]);
    const { body } = await room.world.api.get(`${room.path}/conversations/${id}`);
    expect(body.conversation.message_count).toBe(2);
  });

  test("stops when it is told to", async () => {
    const room = await newRoom();
    await room.say({}, { asked: "Old", at: daysAgo(10) });
    await keepFor(room, 1);
    await expect(runJob(room, AbortSignal.abort())).rejects.toThrow();
    expect(await textsOf(room)).toHaveLength(2);
    await sweep();
    expect(await textsOf(room)).toEqual([]);
  });

  test("fails for good when it does not say where", async () => {
    const room = await newRoom();
    await expect(retentionHandler(app, { ...jobOf(room), payload: {} })).rejects.toMatchObject({
      code: "bad_payload",
    });
  });

  test("finds what is old through an index, in a table where nearly all is new", async () => {
    const room = await newRoom();
    const id = await room.say({}, { asked: "New" });
    await fill(room, id, 4_000, 0);
    await app.db.asSystem("superadmin", async (tx) => {
      const plan = await sql`explain select id from messages where workspace_id = ${room.owner.workspaceId}
        and created_at < ${daysAgo(7)} order by created_at limit 500`.execute(tx);
      expect(JSON.stringify(plan.rows)).toContain("messages_age");
    });
  });
});

function newPerson(room: Room): Promise<string> {
  return room.know([{ kind: "external", value: "mixed" }]);
}

/** Messages of that age. */
async function fill({ run }: Room, conversationId: string, count: number, days = 10): Promise<void> {
  await run(async (tx) => {
    await sql`insert into messages (partner_id, account_id, organization_id, workspace_id, conversation_id, turn_id,
        role, text, created_at)
      select partner_id, account_id, organization_id, workspace_id, id, gen_random_uuid(), 'user', 'Old',
        ${daysAgo(days)}::timestamptz from conversations, generate_series(1, ${count}::integer)
      where id = ${conversationId}`.execute(tx);
  });
}

function jobOf({ owner }: Room, signal: AbortSignal = new AbortController().signal) {
  return {
    id: app.newId(),
    partnerId: owner.partnerId,
    accountId: owner.accountId,
    organizationId: owner.organizationId,
    payload: { workspaceId: owner.workspaceId },
    attempt: 1,
    isLastAttempt: false,
    signal,
    progress: async () => undefined,
  };
}

const runJob = (room: Room, signal?: AbortSignal) => retentionHandler(app, jobOf(room, signal));

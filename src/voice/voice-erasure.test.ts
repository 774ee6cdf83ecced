import { sql } from "kysely";
import { afterAll, describe, expect, test } from "vitest";
import { expectProblem } from "../../test/expectations.ts";
import { hex, newWorld, startTestServer, type World } from "../../test/support.ts";
import { insertNumber } from "../../test/voice-support.ts";
import { openConversation } from "../conversations/open-conversation.ts";
import { resolveContact } from "../conversations/resolve-contact.ts";
import { beginRetention } from "../conversations/retention.ts";
import { appendCallEvents } from "./append-call-events.ts";
import { endCall } from "./end-call.ts";
import { openCall } from "./open-call.ts";
import { callOwner, voicePath } from "./test-support.ts";

/** Of its own: what is too old is looked for in every workspace there is. */
const server = await startTestServer();
const { app } = server;
afterAll(() => server.close());

const TABLES = ["voice_integrations", "voice_configurations", "calls", "call_events", "call_transcripts"];
const PHONE = "+390612345678";

/** A call, over unless it is `live`. */
async function makeCall(world: World, { from = PHONE as string | null, live = false, daysAgo = 0 } = {}) {
  const owner = callOwner(world);
  const at = new Date(app.now().getTime() - daysAgo * 86_400_000);
  const { id } = await openCall(app, owner, {
    direction: "inbound",
    provider: "test",
    providerCallId: null,
    from,
    to: null,
    numberId: null,
    configuration: null,
    startedAt: at,
  });
  await appendCallEvents(app, owner, id, [
    { kind: "answered", at },
    { kind: "caller_said", turnId: "t1", text: "Hello", at },
  ]);
  if (!live) await endCall(app, owner, id, { reason: "caller_hung_up", at });
  return id;
}

/** Rows of each table that are left of the organization. */
async function left({ organizationId }: World): Promise<number[]> {
  return app.db.asSystem("superadmin", async (tx) => {
    const counts: number[] = [];
    for (const table of TABLES) {
      const { rows } = await sql<{ count: number }>`select count(*) from ${sql.table(table)}
        where organization_id = ${organizationId}`.execute(tx);
      counts.push(rows[0]?.count ?? -1);
    }
    return counts;
  });
}

async function newVoiceWorld(): Promise<World> {
  const world = await newWorld(server);
  const number_id = await insertNumber(app, callOwner(world));
  await world.api.post(voicePath(world.workspaceSlug), { number_id });
  await makeCall(world);
  return world;
}

const idsIn = async (world: World): Promise<string[]> => {
  const { body } = await world.api.get("/v1/voice-integration/call-logs");
  return body.call_logs.map(({ id }: { id: string }) => id);
};

describe("an erasure removes configuration and calls of", () => {
  test.each([
    ["a workspace", (world: World) => world.api.delete(`/v1/workspace/${hex(world.workspaceSlug)}`)],
    ["an organization", (world: World) => world.api.delete(`/v1/org/${hex(world.orgSlug)}`)],
    [
      "an account",
      (world: World) => world.api.delete(`/v1/accounts/${world.accountId}`, { confirm: "Acme" }),
    ],
  ])("%s, frees its number, and touches nothing of another's", async (_what, erase) => {
    const [world, other] = [await newVoiceWorld(), await newVoiceWorld()];
    // More than one transaction erases.
    await app.db.asSystem("superadmin", (tx) =>
      sql`insert into calls (partner_id, account_id, organization_id, workspace_id, id, direction, provider, status,
          started_at, ended_at, ended_reason, metadata)
        select partner_id, account_id, organization_id, workspace_id, gen_random_uuid(), direction, provider, 'ended',
          started_at, ended_at, ended_reason, metadata from calls, generate_series(1, 450)
        where organization_id = ${world.organizationId}`.execute(tx),
    );
    const before = await left(other);
    expect(before).toEqual([1, 1, 1, 3, 1]);
    expect(await left(world)).toEqual([1, 1, 451, 3, 1]);
    expect((await erase(world)).body).toEqual({ success: true });
    expect(await left(world)).toEqual([0, 0, 0, 0, 0]);
    expect(await left(other)).toEqual(before);
  });

  test("an organization is refused while somebody is on the phone, unless it is forced", async () => {
    const world = await newVoiceWorld();
    const live = await makeCall(world, { live: true });
    const refused = await world.api.delete(`/v1/org/${hex(world.orgSlug)}`);
    expectProblem(refused, "conflict");
    expect(refused.body.message).toContain("on the phone");
    expect(await idsIn(world)).toContain(live);
    expect((await world.api.delete(`/v1/org/${hex(world.orgSlug)}?force=true`)).body).toEqual({
      success: true,
    });
    const late = { kind: "dtmf", digit: "1", at: app.now() } as const;
    expect(await appendCallEvents(app, callOwner(world), live, [late])).toEqual({
      isLive: false,
      written: 0,
    });
  });

  test("a call of a workspace that is being erased is out of sight before it is gone", async () => {
    const world = await newVoiceWorld();
    const [id] = await idsIn(world);
    await app.db.asSystem("superadmin", (tx) =>
      sql`update workspaces set erasing_at = now() where id = ${world.workspaceId}`.execute(tx),
    );
    expect(await idsIn(world)).toEqual([]);
    expectProblem(await world.api.get(`/v1/voice-integration/call-logs/${id}`), "not_found");
  });
});

describe("retention_days", () => {
  test("remove calls that are older, with all that was said in them, and leave the rest", async () => {
    const world = await newWorld(server);
    const [old, recent] = [await makeCall(world, { daysAgo: 31 }), await makeCall(world, { daysAgo: 29 })];
    const live = await makeCall(world, { daysAgo: 31, live: true });
    await world.api.post(`/v1/workspace/${hex(world.workspaceSlug)}/update`, { retention_days: 30 });
    expect(await beginRetention(app)).toBe(1);
    await expect.poll(() => idsIn(world), { timeout: 10_000 }).not.toContain(old);
    expect((await idsIn(world)).toSorted()).toEqual([recent, live].toSorted());
    await endCall(app, callOwner(world), live, { reason: "goodbye", at: app.now() });
    // Begun again while the first one is about to end, it would be that one.
    const begunAgain = async () => {
      await beginRetention(app);
      return idsIn(world);
    };
    await expect.poll(begunAgain, { timeout: 10_000, interval: 200 }).toEqual([recent]);
  });
});

describe("a person", () => {
  test("is exported and erased with their calls, by number and by conversation, and nobody else's", async () => {
    const world = await newWorld(server);
    const owner = callOwner(world);
    const path = `/v1/workspace/${hex(world.workspaceSlug)}/contacts`;
    const byNumber = await makeCall(world);
    const withheld = await makeCall(world, { from: null });
    const others = await makeCall(world, { from: "+4930123456" });
    const contactId = await app.db.asTenant(owner, async (tx) => {
      const id = await resolveContact(app, tx, owner, [{ kind: "phone", value: PHONE }], "Ada");
      const wanted = { channel: "voice", sessionId: withheld, threadSlug: null, contactId: id } as const;
      await openConversation(app, tx, owner, wanted);
      return id;
    });
    const exported = await world.api.get(`${path}/${contactId}`);
    expect(exported.body.also.calls.map(({ id }: { id: string }) => id)).toEqual([byNumber, withheld]);
    expect(exported.body.also.calls[0].transcript).toMatchObject([{ text: "Hello" }]);
    expect((await world.api.delete(`${path}/${contactId}`)).body).toEqual({ success: true });
    expect(await idsIn(world)).toEqual([others]);
    expect((await left(world)).slice(2)).toEqual([1, 3, 1]);
  });

  test("who never called has no calls in the export, and is erased without any", async () => {
    const world = await newWorld(server);
    const owner = callOwner(world);
    const call = await makeCall(world);
    const contactId = await app.db.asTenant(owner, (tx) =>
      resolveContact(app, tx, owner, [{ kind: "email", value: "ada@example.com" }]),
    );
    const path = `/v1/workspace/${hex(world.workspaceSlug)}/contacts/${contactId}`;
    expect((await world.api.get(path)).body.also).toEqual({ calls: [], whatsapp: [] });
    await world.api.delete(path);
    expect(await idsIn(world)).toEqual([call]);
  });
});

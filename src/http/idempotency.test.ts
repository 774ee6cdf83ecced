import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { expectProblem } from "../../test/expectations.ts";
import { client, hex, newKey, newWorld, testServer, type World } from "../../test/support.ts";

const server = await testServer();

/** One POST with an Idempotency-Key; the answer's body to the byte. */
async function post({ partner, accountId }: World, path: string, key: string, body: object, apiKey?: string) {
  const response = await fetch(`${server.url}/api${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${apiKey ?? partner.key}`,
      "x-account-id": accountId,
      "content-type": "application/json",
      "idempotency-key": key,
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

async function countOrganizations({ api }: World): Promise<number> {
  return (await api.get("/v1/orgs")).body.organizations.length;
}

/** Changes what is remembered of a partner's key, as time or a crash would. */
async function changeRecord({ partner }: World, key: string, change: ReturnType<typeof sql>): Promise<void> {
  await server.app.db.asSystem("idempotency", async (tx) => {
    await sql`update idempotency_keys set ${change} where partner_id = ${partner.id} and key = ${key}`.execute(
      tx,
    );
  });
}

describe("an Idempotency-Key", () => {
  test("answers a repetition with the same bytes and does nothing twice", async () => {
    const world = await newWorld(server);
    const first = await post(world, "/v1/orgs", "k", { name: "Ünïcode 🍮 / \u2028" });
    const second = await post(world, "/v1/orgs", "k", { name: "Ünïcode 🍮 / \u2028" });
    expect(first.status).toBe(200);
    expect(second.status).toBe(200);
    expect(second.text).toBe(first.text);
    expect(second.headers.get("content-type")).toBe(first.headers.get("content-type"));
    expect(second.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
    expect(await countOrganizations(world)).toBe(2);
  });

  test("keeps its answer although the thing has changed since", async () => {
    const world = await newWorld(server);
    const first = await post(world, "/v1/orgs", "k", { name: "Before" });
    await world.api.post(`/v1/org/${first.body.organization.slug}/update`, { name: "After" });
    expect((await post(world, "/v1/orgs", "k", { name: "Before" })).text).toBe(first.text);
  });

  test("with another body, path or query is refused, and what was done stays", async () => {
    const world = await newWorld(server);
    const path = `/v1/org/${hex(world.orgSlug)}/update`;
    await post(world, "/v1/orgs", "k", { name: "A" });
    expectReuse(await post(world, "/v1/orgs", "k", { name: "B" }));
    expectReuse(await post(world, path, "k", { name: "A" }));
    const other = await post(world, "/v1/orgs", "other", { name: "C" });
    await post(world, path, "k2", { name: "A" });
    expectReuse(await post(world, `/v1/org/${other.body.organization.slug}/update`, "k2", { name: "A" }));
    expect(await countOrganizations(world)).toBe(3);
  });

  test("sent ten times at once does the work once; who comes too early is told to wait", async () => {
    const world = await newWorld(server);
    const rush = Array.from({ length: 10 }, () => post(world, "/v1/orgs", "rush", { name: "Once" }));
    const replies = await Promise.all(rush);
    const done = replies.filter(({ status }) => status === 200);
    expect(new Set(done.map(({ text }) => text)).size).toBe(1);
    for (const reply of replies.filter(({ status }) => status !== 200)) {
      expectProblem(reply, "idempotency_in_flight");
      expect(reply.headers.get("retry-after")).toBe("1");
    }
    expect(await countOrganizations(world)).toBe(2);
    expect((await post(world, "/v1/orgs", "rush", { name: "Once" })).text).toBe(done[0]?.text);
  });

  test("belongs to its account: two accounts may use the same one", async () => {
    const first = await newWorld(server);
    const second = await newWorld(server, first.partner);
    const one = await post(first, "/v1/orgs", "shared", { name: "Mine" });
    const two = await post(second, "/v1/orgs", "shared", { name: "Mine" });
    expect(two.body.organization.account_id).toBe(second.accountId);
    expect(one.body.organization.account_id).toBe(first.accountId);
  });

  test("belongs to the API key that sent it, so nobody reads another's answer", async () => {
    const world = await newWorld(server);
    const other = await newKey(server.app, world.partner.id);
    const one = await post(world, "/v1/orgs", "shared", { name: "Mine" });
    const two = await post(world, "/v1/orgs", "shared", { name: "Mine" }, other);
    expect(two.body.organization.id).not.toBe(one.body.organization.id);
    const reader = await newKey(server.app, world.partner.id, { scopes: ["organizations:read"] });
    expectProblem(await post(world, "/v1/orgs", "shared", { name: "Mine" }, reader), "insufficient_scope");
  });

  test("of a request that failed is free for the next try", async () => {
    const world = await newWorld(server);
    const body = { name: "Second", slug: "wanted" };
    const { body: blocking } = await world.api.post("/v1/orgs", { name: "First", slug: "wanted" });
    expectProblem(await post(world, "/v1/orgs", "retry", body), "conflict");
    expectProblem(await post(world, "/v1/orgs", "retry", body), "conflict");
    await world.api.delete(`/v1/org/${blocking.organization.slug}`);
    expect((await post(world, "/v1/orgs", "retry", body)).status).toBe(200);
  });

  test("of a request that was malformed is not used up", async () => {
    const world = await newWorld(server);
    expectProblem(await post(world, "/v1/orgs", "typo", { nam: "A" }), "invalid_request");
    expect((await post(world, "/v1/orgs", "typo", { name: "A" })).status).toBe(200);
  });

  test("whose first attempt has died is in flight until its lease ends, then the work is done", async () => {
    const world = await newWorld(server);
    await post(world, "/v1/orgs", "dead", { name: "A" });
    await changeRecord(
      world,
      "dead",
      sql`status = null, result = null, leased_until = now() + interval '1 minute'`,
    );
    expectProblem(await post(world, "/v1/orgs", "dead", { name: "A" }), "idempotency_in_flight");
    await changeRecord(world, "dead", sql`leased_until = now() - interval '1 second'`);
    expectReuse(await post(world, "/v1/orgs", "dead", { name: "B" }));
    expect((await post(world, "/v1/orgs", "dead", { name: "A" })).status).toBe(200);
    expect(await countOrganizations(world)).toBe(3);
  });

  test("is forgotten after 24 hours, not before", async () => {
    const world = await newWorld(server);
    const first = await post(world, "/v1/orgs", "old", { name: "A" });
    await changeRecord(world, "old", sql`created_at = now() - interval '23 hours 59 minutes'`);
    expect((await post(world, "/v1/orgs", "old", { name: "A" })).text).toBe(first.text);
    await changeRecord(world, "old", sql`created_at = now() - interval '24 hours 1 minute'`);
    const again = await post(world, "/v1/orgs", "old", { name: "B" });
    expect(again.status).toBe(200);
    expect(again.body.organization.id).not.toBe(first.body.organization.id);
  });

  test("of an account answers nothing once the account is suspended or gone", async () => {
    const world = await newWorld(server);
    const own = client(server.url, world.partner.key);
    await post(world, "/v1/orgs", "k", { name: "A" });
    await own.post(`/v1/accounts/${world.accountId}/suspend`);
    expectProblem(await post(world, "/v1/orgs", "k", { name: "A" }), "account_suspended");
    await own.delete(`/v1/accounts/${world.accountId}`, { confirm: "Acme" });
    expectProblem(await post(world, "/v1/orgs", "k", { name: "A" }), "account_forbidden");
  });

  test("takes 255 characters", async () => {
    const world = await newWorld(server);
    expect((await post(world, "/v1/orgs", "k".repeat(255), { name: "A" })).status).toBe(200);
  });
});

function expectReuse(reply: Awaited<ReturnType<typeof post>>): void {
  expectProblem(reply, "idempotency_conflict");
}

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type NumberWorld, newNumberWorld } from "../../test/number-support.ts";
import { client, hex, newWorld, startTestServer, testServer } from "../../test/support.ts";

const server = await testServer();
let world: NumberWorld;
beforeAll(async () => {
  world = await newNumberWorld(server);
});

let given = 0;
/** A number of Berlin that no other test has. */
const berlin = () => {
  given += 1;
  return `+49301${2_000_000 + given}`;
};
const requestsOf = (slug: string) => `/v1/org/${hex(slug)}/number-requests`;

/** A request with its number, by hand. */
async function fulfilled(place: NumberWorld, number = berlin()) {
  const { id } = await place.ask();
  await place.decide(id, "approve", {});
  const { body } = await place.decide(id, "attach", { number });
  return { id, number: body.number_request.numbers[0] };
}

describe("a request for numbers", () => {
  test("begins as pending, with what was asked for and the first line of its history", async () => {
    const asked = await world.ask({ area_code: "30", quantity: 3, notes: "For the clinic." });
    expect(asked).toEqual({
      id: expect.any(String),
      organization_id: world.organizationId,
      country: "DE",
      number_type: "local",
      area_code: "30",
      quantity: 3,
      notes: "For the clinic.",
      status: "pending",
      status_reason: null,
      next_step: null,
      provider_status: null,
      numbers: [],
      history: [{ status: "pending", at: asked.created_at, by: "partner", reason: null }],
      created_at: expect.any(String),
      updated_at: asked.created_at,
    });
    expect(await world.get(asked.id)).toEqual(asked);
  });

  test.each([
    [{ country: "XX" }, "body.country"],
    [{ country: "de" }, "body.country"],
    [{ country: undefined }, "body.country"],
    [{ number_type: "satellite" }, "body.number_type"],
    [{ number_type: undefined }, "body.number_type"],
    [{ area_code: "030x" }, "body.area_code"],
    [{ quantity: 0 }, "body.quantity"],
    [{ quantity: 51 }, "body.quantity"],
    [{ quantity: 1.5 }, "body.quantity"],
    [{ notes: "" }, "body.notes"],
    [{ colour: "red" }, "body.colour"],
  ])("with %j is refused, naming the field", async (wrong, path) => {
    const body = { country: "DE", number_type: "local", ...wrong };
    const reply = await world.api.post(requestsOf(world.orgSlug), body);
    expect(reply).toMatchObject({ status: 400, body: { details: [{ path }] } });
  });

  test("is listed by status, newest first; a status that there is not is 400", async () => {
    const place = await newNumberWorld(server);
    const first = await place.ask();
    const second = await place.ask();
    const third = await place.ask();
    await place.decide(second.id, "reject", { reason: "No." });
    const list = async (query: string) => (await place.api.get(`${requestsOf(place.orgSlug)}?${query}`)).body;
    const ids = (body: { number_requests: { id: string }[] }) => body.number_requests.map(({ id }) => id);
    expect(ids(await list("status=pending"))).toEqual([third.id, first.id]);
    expect(ids(await list("status=rejected"))).toEqual([second.id]);
    const page = await list("limit=2");
    expect(ids(page)).toEqual([third.id, second.id]);
    expect(ids(await list(`limit=2&cursor=${page.next_cursor}`))).toEqual([first.id]);
    expect(await place.api.get(`${requestsOf(place.orgSlug)}?status=lost`)).toMatchObject({
      status: 400,
      body: { code: "invalid_request", details: [{ path: "query.status" }] },
    });
  });

  test("goes through review, question and answer, and keeps all of it", async () => {
    const { id } = await world.ask();
    await world.decide(id, "review");
    const question = await world.decide(id, "action-required", {
      reason: "We lack an address.",
      next_step: "Send the address of the clinic.",
    });
    expect(question.body.number_request).toMatchObject({
      status: "action_required",
      status_reason: "We lack an address.",
      next_step: "Send the address of the clinic.",
    });
    const answered = await world.api.post(`${requestsOf(world.orgSlug)}/${id}/respond`, {
      notes: "Road 1, Berlin.",
    });
    expect(answered.body.number_request).toMatchObject({ status: "in_review", next_step: null });
    await world.decide(id, "reject", { reason: "Too far away." });
    const { history } = await world.get(id);
    expect(history.map(({ status, by, reason }: Record<string, unknown>) => [status, by, reason])).toEqual([
      ["pending", "partner", null],
      ["in_review", "superadmin", null],
      ["action_required", "superadmin", "We lack an address."],
      ["in_review", "partner", "Road 1, Berlin."],
      ["rejected", "superadmin", "Too far away."],
    ]);
  });

  test("is not moved where it cannot go: 409, and the message says where it can", async () => {
    const { id } = await world.ask();
    const early = await world.decide(id, "fail", { reason: "No." });
    expect(early).toMatchObject({
      status: 409,
      body: {
        code: "conflict",
        message:
          "A request that is pending cannot become failed: from there it can only become in_review or approved or rejected or cancelled.",
      },
    });
    const unasked = await world.api.post(`${requestsOf(world.orgSlug)}/${id}/respond`, { notes: "Here." });
    expect(unasked.status).toBe(409);
    await world.api.post(`${requestsOf(world.orgSlug)}/${id}/cancel`);
    const again = await world.api.post(`${requestsOf(world.orgSlug)}/${id}/cancel`);
    expect(again).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining("does not change any more") },
    });
    expect(await world.get(id)).toMatchObject({ status: "cancelled", history: { length: 2 } });
  });

  test("moved by two at once is moved once", async () => {
    const { id } = await world.ask();
    const replies = await Promise.all([
      world.decide(id, "approve", {}),
      world.decide(id, "reject", { reason: "No." }),
      world.api.post(`${requestsOf(world.orgSlug)}/${id}/cancel`),
    ]);
    const { history } = await world.get(id);
    const done = replies.filter(({ status }) => status === 200).length;
    // Approved first, it can still be cancelled.
    expect(history).toHaveLength(1 + done);
    expect(replies.filter(({ status }) => status === 409)).toHaveLength(3 - done);
  });

  test("tells of every move by an event, in order, and leaves a line in the trail", async () => {
    const place = await newNumberWorld(server);
    await place.api.post("/v1/webhook-endpoints", { url: "http://localhost:9/numbers" });
    const { id } = await place.ask();
    await place.decide(id, "approve", {});
    await place.api.post(`${requestsOf(place.orgSlug)}/${id}/cancel`);
    const { rows } = await server.app.db.asSystem("superadmin", (tx) =>
      sql`select type, sequence, data from webhook_events where subject_id = ${id} order by sequence`.execute(
        tx,
      ),
    );
    const data = (status: string, previous: string, by: string) => ({
      type: "number_request.updated",
      data: { organization_id: place.organizationId, status, previous_status: previous, by },
    });
    expect(rows).toMatchObject([
      data("approved", "pending", "superadmin"),
      data("cancelled", "approved", "partner"),
    ]);
    const trail = (await place.api.get("/v1/audit-events")).body.audit_events;
    const lines = trail.filter((line: { resource: { id: string } }) => line.resource.id === id);
    expect(
      lines.map(
        ({ action, actor, details }: { action: string; actor: { kind: string }; details: object }) => [
          action,
          actor.kind,
          details,
        ],
      ),
    ).toEqual([
      ["number_request.moved", "key", { from: "approved", to: "cancelled" }],
      ["number_request.moved", "superadmin", { from: "pending", to: "approved" }],
      ["number_request.created", "key", {}],
    ]);
  });
});

describe("a number that is attached by hand", () => {
  test("is checked against what was asked for", async () => {
    const { id } = await world.ask();
    await world.decide(id, "approve", {});
    const cases: [string, RegExp][] = [
      ["030 12345678", /is not a telephone number in E\.164/],
      ["+4930", /is not a telephone number in E\.164/],
      ["+493012345678 ext. 5", /is not a telephone number in E\.164/],
      ["+14155550100", /is a number of US, not of DE/],
      ["+4915112345678", /is no local number: its plan says MOBILE/],
      ["+498001234567", /is no local number: its plan says TOLL_FREE/],
    ];
    for (const [number, message] of cases) {
      const reply = await world.decide(id, "attach", { number });
      expect(reply, number).toMatchObject({ status: 400, body: { details: [{ path: "body.number" }] } });
      expect(reply.body.message).toMatch(message);
    }
    expect(await world.get(id)).toMatchObject({ status: "approved", numbers: [] });
  });

  test.each([
    ["US", "local", "+14155550177"],
    ["US", "mobile", "+14155550178"],
    ["US", "toll_free", "+18005550177"],
    ["CA", "toll_free", "+18005550178"],
    ["DE", "mobile", "+4915112345677"],
    ["GB", "national", "+443001234567"],
  ])("fits in %s as %s: %s", async (country, number_type, number) => {
    const { id } = await world.ask({ country, number_type });
    await world.decide(id, "approve", {});
    const { status, body } = await world.decide(id, "attach", { number });
    expect(status, body.message).toBe(200);
    expect(body.number_request).toMatchObject({
      status: "fulfilled",
      numbers: [{ number, country, number_type }],
    });
  });

  test("fulfils the request when it is the last one, and no earlier", async () => {
    const { id } = await world.ask({ quantity: 2 });
    await world.decide(id, "approve", {});
    const first = await world.decide(id, "attach", { number: berlin(), sms: true });
    expect(first.body.number_request).toMatchObject({
      status: "provisioning",
      numbers: [{ status: "active", provider: "manual", capabilities: { voice: true, sms: true } }],
    });
    const second = await world.decide(id, "attach", { number: berlin() });
    expect(second.body.number_request).toMatchObject({ status: "fulfilled", numbers: { length: 2 } });
    const third = await world.decide(id, "attach", { number: berlin() });
    expect(third.status).toBe(409);
  });

  test("before the request is approved is refused: 409", async () => {
    const { id } = await world.ask();
    const reply = await world.decide(id, "attach", { number: berlin() });
    expect(reply).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining("cannot become provisioning") },
    });
  });

  test("has one owner, also when several ask at once", async () => {
    const number = berlin();
    const ids = await Promise.all(
      [1, 2, 3].map(async () => {
        const { id } = await world.ask();
        await world.decide(id, "approve", {});
        return id;
      }),
    );
    const replies = await Promise.all(ids.map((id) => world.decide(id, "attach", { number })));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const refused = replies.find(({ status }) => status === 409);
    expect(refused?.body).toMatchObject({ code: "conflict", details: [{ path: "body.number" }] });
    // What was refused has not moved.
    const statuses = await Promise.all(ids.map(async (id) => (await world.get(id)).status));
    expect(statuses.sort()).toEqual(["approved", "approved", "fulfilled"]);
  });
});

describe("numbers", () => {
  test("are listed for the account and for one organization, and counted there", async () => {
    const place = await newNumberWorld(server);
    const sister = (await place.api.post("/v1/orgs", { name: "Sister" })).body.organization;
    const { number } = await fulfilled(place);
    const there = await newNumberWorld(server, {
      ...place,
      orgSlug: sister.originalSlug,
      organizationId: sister.id,
    });
    const { number: other } = await fulfilled(there);
    const ids = async (path: string) =>
      (await place.api.get(path)).body.numbers.map(({ id }: { id: number }) => id);
    expect(await ids("/v1/numbers")).toEqual([other.id, number.id]);
    expect(await ids(`/v1/numbers?organization_id=${place.organizationId}`)).toEqual([number.id]);
    expect(await ids(`/v1/org/${sister.slug}/numbers`)).toEqual([other.id]);
    expect(await ids("/v1/numbers?limit=1")).toEqual([other.id]);
    const { body } = await place.api.get(`/v1/org/${sister.slug}`);
    expect(body.organization.counts.numbers).toBe(1);
    expect(number).toEqual({
      id: expect.any(Number),
      number: number.number,
      country: "DE",
      number_type: "local",
      capabilities: { voice: true, sms: false },
      status: "active",
      provider: "manual",
      organization_id: place.organizationId,
      voice_integration: null,
      created_at: expect.any(String),
    });
  });

  test("take scope with an organization only, and an organization of the account only", async () => {
    const scoped = await world.api.get("/v1/numbers?scope=linked");
    expect(scoped).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("send organization_id"), details: [{ path: "query.scope" }] },
    });
    const wrong = await world.api.get(`/v1/numbers?organization_id=${world.organizationId}&scope=some`);
    expect(wrong).toMatchObject({ status: 400, body: { details: [{ path: "query.scope" }] } });
    const stranger = await newWorld(server);
    for (const id of [stranger.organizationId, 2_147_483_647]) {
      expect((await world.api.get(`/v1/numbers?organization_id=${id}`)).status).toBe(404);
    }
    expect((await world.api.get("/v1/numbers?organization_id=0")).status).toBe(400);
  });

  test("of others are not to be seen", async () => {
    const stranger = await newNumberWorld(server);
    const { id, number } = await fulfilled(stranger);
    const numbers = (await world.api.get("/v1/numbers")).body.numbers;
    expect(numbers.filter((one: { id: number }) => one.id === number.id)).toEqual([]);
    expect((await world.api.get(`${requestsOf(world.orgSlug)}/${id}`)).status).toBe(404);
  });
});

describe("with a room that links numbers to assistants", async () => {
  /** Every number whose last digit is even is answered by the organization's workspace. */
  const linking = await startTestServer(
    {},
    {
      numberLink: sql`(select json_build_object('workspace', slug) from workspaces
        where workspaces.organization_id = numbers.organization_id and right(numbers.number, 1) in ('0', '2', '4', '6', '8'))`,
    },
  );
  afterAll(() => linking.close());

  test("a number says whose assistant answers it, and lists are narrowed to those, or to the others", async () => {
    const place = await newNumberWorld(linking);
    const { number: odd } = await fulfilled(place, "+493012345671");
    const { number: even } = await fulfilled(place, "+493012345672");
    expect([odd.voice_integration, even.voice_integration]).toEqual([
      null,
      { workspace: place.workspaceSlug },
    ]);
    const ids = async (scope: string) =>
      (
        await place.api.get(`/v1/numbers?organization_id=${place.organizationId}&scope=${scope}`)
      ).body.numbers.map(({ id }: { id: number }) => id);
    expect(await ids("linked")).toEqual([even.id]);
    expect(await ids("unlinked")).toEqual([odd.id]);
    expect(await ids("all")).toEqual([even.id, odd.id]);
    const kept = await place.admin.post(`/v1/admin/numbers/${even.id}/release`);
    expect(kept).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining("An assistant answers") },
    });
    const released = await place.admin.post(`/v1/admin/numbers/${odd.id}/release`);
    expect(released.body.number.status).toBe("released");
  });
});

describe("the pool", () => {
  test("takes the numbers of an organization that is deleted, and gives them to the next", async () => {
    const place = await newNumberWorld(server);
    const { number } = await fulfilled(place);
    await place.ask();
    expect((await place.api.delete(`/v1/org/${hex(place.orgSlug)}`)).status).toBe(200);
    expect((await place.api.get("/v1/numbers")).body.numbers).toEqual([]);
    const pool = async () =>
      (await place.admin.get("/v1/admin/numbers?limit=500")).body.numbers.find(
        ({ id }: { id: number }) => id === number.id,
      );
    expect(await pool()).toMatchObject({
      number: number.number,
      status: "active",
      partner_id: null,
      organization_id: null,
    });

    const next = await newNumberWorld(server);
    const { number: again } = await fulfilled(next, number.number);
    expect(again).toMatchObject({ id: number.id, organization_id: next.organizationId });
    expect(await pool()).toBeUndefined();
  });

  test("takes those of an account, and leaves nothing of its requests", async () => {
    const place = await newNumberWorld(server);
    const { number } = await fulfilled(place);
    const { body } = await place.api.get("/v1/accounts");
    const name = body.accounts.find(({ id }: { id: string }) => id === place.accountId).name;
    const deleted = await client(server.url, place.partner.key).delete(`/v1/accounts/${place.accountId}`, {
      confirm: name,
    });
    expect(deleted.status).toBe(200);
    const { rows } = await server.app.db.asSystem("superadmin", (tx) =>
      sql`select (select count(*) from number_requests where account_id = ${place.accountId}) as requests,
        (select count(*) from number_request_moves where account_id = ${place.accountId}) as moves,
        (select organization_id from numbers where id = ${number.id}) as owner`.execute(tx),
    );
    expect(rows).toEqual([{ requests: 0, moves: 0, owner: null }]);
  });

  test("is nobody's: no tenant reads it, writes to it, or takes from it", async () => {
    const place = await newNumberWorld(server);
    const { number } = await fulfilled(place);
    await place.api.delete(`/v1/org/${hex(place.orgSlug)}`);
    const tenant = { partnerId: world.partner.id, accountId: world.accountId };
    const seen = await server.app.db.asTenant(tenant, (tx) =>
      tx.selectFrom("numbers").selectAll().where("id", "=", number.id).execute(),
    );
    expect(seen).toEqual([]);
    for (const statement of [
      sql`update numbers set partner_id = ${tenant.partnerId}, account_id = ${tenant.accountId} where id = ${number.id}`,
      sql`insert into numbers (number, country, number_type, can_voice, can_sms, provider) values ('+493099999999', 'DE', 'local', true, true, 'manual')`,
      sql`delete from numbers where id = ${number.id}`,
      sql`select * from number_orders`,
    ]) {
      const refused = server.app.db.asTenant(tenant, (tx) => statement.execute(tx));
      await expect(refused).rejects.toThrow(/permission denied|row-level security/);
    }
  });
});

describe("a superadmin", () => {
  test("lists everybody's requests, by partner, organization and status", async () => {
    const place = await newNumberWorld(server);
    const { id } = await place.ask();
    const list = async (query: string) =>
      (await place.admin.get(`/v1/admin/number-requests?${query}`)).body.number_requests;
    const [found] = await list(`organization_id=${place.organizationId}`);
    expect(found).toMatchObject({
      id,
      partner_id: place.partner.id,
      account_id: place.accountId,
      status: "pending",
    });
    expect(await list(`partner_id=${place.partner.id}&status=approved`)).toEqual([]);
    expect(await list(`partner_id=${place.partner.id}&status=pending`)).toMatchObject([{ id }]);
    const everybodys = await list("limit=500");
    expect(new Set(everybodys.map((one: { partner_id: string }) => one.partner_id)).size).toBeGreaterThan(1);
  });

  test("gives back a number that was bought by hand, and it can be attached anew", async () => {
    const place = await newNumberWorld(server);
    const { id, number } = await fulfilled(place);
    const released = await place.admin.post(`/v1/admin/numbers/${number.id}/release`);
    expect(released.body.number).toMatchObject({ status: "released", released_at: expect.any(String) });
    expect((await place.api.get("/v1/numbers")).body.numbers).toEqual([]);
    expect((await place.get(id)).numbers).toMatchObject([{ id: number.id, status: "released" }]);
    const again = await place.admin.post(`/v1/admin/numbers/${number.id}/release`);
    expect(again.body.number).toEqual(released.body.number);
    const { number: anew } = await fulfilled(place, number.number);
    expect(anew.id).not.toBe(number.id);
    const trail = (await place.api.get("/v1/audit-events")).body.audit_events;
    expect(trail.filter(({ action }: { action: string }) => action === "number.released")).toHaveLength(1);
  });

  test("gives nothing to an account that is suspended", async () => {
    const place = await newNumberWorld(server);
    const { id } = await place.ask();
    const account = client(server.url, place.partner.key);
    await account.post(`/v1/accounts/${place.accountId}/suspend`);
    const refused = await place.decide(id, "approve", {});
    expect(refused).toMatchObject({ status: 409, body: { message: expect.stringContaining("suspended") } });
    await account.post(`/v1/accounts/${place.accountId}/resume`);
    expect((await place.decide(id, "approve", {})).status).toBe(200);
    await account.post(`/v1/accounts/${place.accountId}/suspend`);
    expect((await place.decide(id, "attach", { number: berlin() })).status).toBe(409);
  });

  test("finds no request of an organization that is being erased", async () => {
    const place = await newNumberWorld(server);
    const { id } = await place.ask();
    await place.api.delete(`/v1/org/${hex(place.orgSlug)}`);
    expect((await place.decide(id, "approve", {})).status).toBe(404);
  });

  test("without a carrier cannot let one provide numbers: 409", async () => {
    const { id } = await world.ask();
    await world.decide(id, "approve", {});
    const reply = await world.decide(id, "provision", {});
    expect(reply).toMatchObject({ status: 409, body: { message: expect.stringContaining("No carrier") } });
  });
});

import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import { client, newKey, newPartner, newWorld, startTestServer, testServer } from "../../test/support.ts";
import { createSecretBox } from "../secrets.ts";
import { openSecret, resealWebhookSecrets } from "./endpoint-secret.ts";
import { checkEndpointUrl } from "./endpoint-url.ts";

const server = await testServer();
const URL_HERE = "https://app.example.com/hooks";
const UNKNOWN = "0192f0c1-2b3c-7d4e-8f50-61728394a5b6";

describe("a webhook endpoint", () => {
  test("shows its secret once; it is stored encrypted, and an Idempotency-Key does not bring it back", async () => {
    const { partner } = await newWorld(server);
    const api = client(server.url, partner.key);
    const create = () =>
      api.post("/v1/webhook-endpoints", { url: URL_HERE }, { "idempotency-key": "the-same" });
    const [first, second] = [await create(), await create()];
    const { secret, webhook_endpoint: endpoint } = first.body;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(second.body.secret).not.toBe(secret);
    expect(endpoint).toEqual({
      id: expect.any(String),
      account_id: null,
      url: URL_HERE,
      description: null,
      events: null,
      status: "enabled",
      disabled_at: null,
      disabled_reason: null,
      failing_since: null,
      previous_secret_until: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    const shown = [
      await api.get("/v1/webhook-endpoints"),
      await api.get(`/v1/webhook-endpoints/${endpoint.id}`),
      await api.get("/v1/audit-events"),
    ];
    expect(shown.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(JSON.stringify(shown)).not.toContain("whsec_");
    const row = await server.app.db.asSystem("superadmin", (tx) =>
      tx.selectFrom("webhook_endpoints").selectAll().where("id", "=", endpoint.id).executeTakeFirstOrThrow(),
    );
    expect(row.secret).toMatch(/^v1\./);
    expect(openSecret(server.app, endpoint.id, row.secret)).toBe(secret);
  });

  test.each([
    ["http://app.example.com/hooks", "must begin with https://"],
    ["ftp://app.example.com", "must begin with https://"],
    ["app.example.com", "is not a URL"],
    ["https://user:pass@app.example.com", "may not hold a user name or a password"],
    ["https://app.example.com/#top", "may not have a fragment"],
    ["https://app.example.com:25/hooks", "may name the ports 443 and 8443 only"],
    ["http://127.0.0.1/hooks", "must begin with https://"],
  ])("does not take %s", async (url, message) => {
    const { api } = await newWorld(server);
    const created = await api.post("/v1/webhook-endpoints", { url });
    expectProblem(created, "invalid_request");
    expectNamed(created, "body.url");
    expect(created.body.message).toContain(message);
    const { body } = await api.post("/v1/webhook-endpoints", { url: URL_HERE });
    const changed = await api.patch(`/v1/webhook-endpoints/${body.webhook_endpoint.id}`, { url });
    expectProblem(changed, "invalid_request");
  });

  test("takes http://localhost outside production only", () => {
    const local = "http://localhost:4010/hooks";
    const { config } = server.app;
    expect(checkEndpointUrl(config, local)).toBe(local);
    expect(() => checkEndpointUrl({ ...config, publicUrl: "https://lumen.example.com" }, local)).toThrow(
      "http://localhost is not allowed",
    );
  });

  test("takes only events that there are", async () => {
    const { api } = await newWorld(server);
    for (const events of [["document.eaten"], [], "document.embedded"]) {
      const reply = await api.post("/v1/webhook-endpoints", { url: URL_HERE, events });
      expectProblem(reply, "invalid_request");
      expectNamed(reply, "body.events");
    }
  });

  test("is the partner's, or an account's: who is narrowed to an account sees that account's only", async () => {
    const first = await newWorld(server);
    const second = await newWorld(server, first.partner);
    const whole = client(server.url, first.partner.key);
    const narrow = client(
      server.url,
      await newKey(server.app, first.partner.id, { accountId: second.accountId }),
    );
    const make = async (api: typeof whole) =>
      (await api.post("/v1/webhook-endpoints", { url: URL_HERE })).body.webhook_endpoint;
    const [partners, firsts, seconds] = [await make(whole), await make(first.api), await make(narrow)];
    expect([partners.account_id, firsts.account_id, seconds.account_id]).toEqual([
      null,
      first.accountId,
      second.accountId,
    ]);
    const list = async (api: typeof whole) =>
      (await api.get("/v1/webhook-endpoints")).body.webhook_endpoints.map(({ id }: { id: string }) => id);
    expect(await list(whole)).toEqual([seconds.id, firsts.id, partners.id]);
    expect(await list(first.api)).toEqual([firsts.id]);
    expect(await list(narrow)).toEqual([seconds.id]);
    for (const { id } of [partners, firsts])
      expectProblem(await narrow.get(`/v1/webhook-endpoints/${id}`), "not_found");
  });

  test("is changed, rotated, disabled, enabled and deleted, and the trail says so", async () => {
    const { api } = await newWorld(server);
    const made = await api.post("/v1/webhook-endpoints", { url: URL_HERE });
    const path = `/v1/webhook-endpoints/${made.body.webhook_endpoint.id}`;
    const changed = await api.patch(path, { events: ["call.ended"], description: "CRM" });
    expect(changed.body.webhook_endpoint).toMatchObject({
      url: URL_HERE,
      events: ["call.ended"],
      description: "CRM",
    });
    expectProblem(await api.patch(path, {}), "invalid_request");
    const rotated = await api.post(`${path}/rotate-secret`);
    expect(rotated.body.secret).toMatch(/^whsec_/);
    expect(rotated.body.secret).not.toBe(made.body.secret);
    const until = Date.parse(rotated.body.webhook_endpoint.previous_secret_until);
    expect(Math.abs(until - Date.now() - 24 * 3_600_000)).toBeLessThan(60_000);
    const disabled = (await api.post(`${path}/disable`)).body.webhook_endpoint;
    expect(disabled).toMatchObject({ status: "disabled", disabled_reason: "manual" });
    expect((await api.post(`${path}/disable`)).body.webhook_endpoint.disabled_at).toBe(disabled.disabled_at);
    for (const path2 of [`${path}/enable`, `${path}/enable`])
      expect((await api.post(path2)).body.webhook_endpoint).toMatchObject({
        status: "enabled",
        disabled_at: null,
        disabled_reason: null,
      });
    expect((await api.delete(path)).status).toBe(200);
    expectProblem(await api.get(path), "not_found");
    const { audit_events: trail } = (await api.get("/v1/audit-events?resource_type=webhook_endpoint")).body;
    expect(trail.map(({ action }: { action: string }) => action.replace("webhook_endpoint.", ""))).toEqual([
      "deleted",
      "enabled",
      "disabled",
      "secret_rotated",
      "updated",
      "created",
    ]);
  });

  test("that does not exist is 404, whatever is asked of it", async () => {
    const { api } = await newWorld(server);
    const path = `/v1/webhook-endpoints/${UNKNOWN}`;
    const replies = [
      await api.get(path),
      await api.patch(path, { events: null }),
      await api.delete(path),
      await api.post(`${path}/rotate-secret`),
      await api.post(`${path}/disable`),
      await api.post(`${path}/enable`),
      await api.get(`${path}/deliveries`),
      await api.post(`${path}/deliveries/${UNKNOWN}/replay`),
      await api.post(`${path}/replay`, { since: "2026-01-01T00:00:00Z" }),
    ];
    for (const reply of replies) expectProblem(reply, "not_found");
  });

  test("needs the scope for reading, and that for writing", async () => {
    const partner = await newPartner(server.app);
    const reader = client(server.url, await newKey(server.app, partner.id, { scopes: ["webhooks:read"] }));
    expect((await reader.get("/v1/webhook-endpoints")).status).toBe(200);
    expectProblem(await reader.post("/v1/webhook-endpoints", { url: URL_HERE }), "insufficient_scope");
    const other = client(server.url, await newKey(server.app, partner.id, { scopes: ["audit:read"] }));
    expectProblem(await other.get("/v1/webhook-endpoints"), "insufficient_scope");
  });

  test("has its secrets, the previous one too, sealed anew when the key of the installation changes", async () => {
    const own = await startTestServer();
    const api = client(own.url, (await newPartner(own.app)).key);
    const { id } = (await api.post("/v1/webhook-endpoints", { url: URL_HERE })).body.webhook_endpoint;
    const { secret } = (await api.post(`/v1/webhook-endpoints/${id}/rotate-secret`)).body;
    const [before, after] = [own.app.config.secretKey ?? "", "another-key-0123456789abcdef0123456789abcdef"];
    expect(await resealWebhookSecrets({ ...own.app, secrets: createSecretBox(after, before) })).toBe(1);
    expect(await resealWebhookSecrets({ ...own.app, secrets: createSecretBox(after, before) })).toBe(0);
    const row = await own.app.db.asSystem("superadmin", (tx) =>
      tx.selectFrom("webhook_endpoints").selectAll().executeTakeFirstOrThrow(),
    );
    const onlyNew = { ...own.app, secrets: createSecretBox(after) };
    expect(openSecret(onlyNew, id, row.secret)).toBe(secret);
    expect(openSecret(onlyNew, id, row.previous_secret ?? "")).toMatch(/^whsec_/);
    await own.close();
  });
});

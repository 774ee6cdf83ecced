import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import { startAnthropicSimulator } from "../../test/simulators/anthropic/anthropic-simulator.ts";
import { startOpenaiSimulator } from "../../test/simulators/openai/openai-simulator.ts";
import { hex, newWorld, startTestServer, testServer, type World } from "../../test/support.ts";
import { ProviderError } from "../ports/provider-error.ts";
import { createGuardedFetch } from "../providers/guarded-fetch.ts";
import { createSecretBox } from "../secrets.ts";
import { resealModelProviders } from "./models.service.ts";
import { type ModelChoice, resolveChatModels } from "./resolve.ts";

const installationKey = "key-of-the-installation-01";
const ownKey = "key-of-the-organization-02";
const hello = { messages: [{ role: "user" as const, text: "Hello" }] };
const never = new AbortController().signal;

/** The operator's vendor, which may be on a private address, and one that an organization brings along. */
const installed = await startOpenaiSimulator({ apiKey: installationKey });
const own = await startOpenaiSimulator({ apiKey: ownKey });
const anthropic = await startAnthropicSimulator(ownKey);
const fetchPublic = createGuardedFetch({
  allowHosts: [own, anthropic].map(({ url }) => new URL(url).host),
});
const server = await startTestServer(
  {
    LLM_PROVIDER: "openai-compatible",
    LLM_BASE_URL: installed.url,
    LLM_API_KEY: installationKey,
    LLM_MODEL: "gpt-4.1",
    LLM_FALLBACK_MODELS: "gpt-4o-mini,anthropic/claude-haiku-4-5,ollama/nobody-has-it",
  },
  { fetchPublic },
);
const { app } = server;
afterAll(async () => {
  await server.close();
  for (const simulator of [installed, own, anthropic]) await simulator.close();
});
beforeEach(() => {
  for (const simulator of [installed, own, anthropic]) {
    simulator.recover();
    simulator.chat.reset();
    simulator.requests.length = 0;
  }
});

const ownOpenai = { provider: "openai", api_key: ownKey, base_url: own.url };
const ownAnthropic = { provider: "anthropic", api_key: ownKey, base_url: anthropic.url };

function providersOf({ api, orgSlug }: World) {
  const path = `/v1/org/${hex(orgSlug)}/model-providers`;
  return {
    path,
    save: (fields: object) => api.post(path, fields),
    list: async () => (await api.get(path)).body.model_providers,
    forget: (provider: string) => api.delete(`${path}/${provider}`),
  };
}

function choosing({ api, workspaceSlug, orgSlug }: World) {
  const path = `/v1/workspace/${hex(workspaceSlug)}`;
  return {
    update: (fields: object, headers = {}) => api.post(`${path}/update`, fields, headers),
    create: (fields: object) => api.post(`/v1/org/${hex(orgSlug)}/workspaces`, { name: "New", ...fields }),
    stored: async () => (await api.get(path)).body.workspace,
  };
}

const resolve = (world: World, choice: Partial<ModelChoice> = {}) =>
  resolveChatModels(
    app,
    { partnerId: world.partner.id, accountId: world.accountId },
    { organizationId: world.organizationId, provider: null, model: null, ...choice },
  );
const namesOf = (models: readonly { provider: string; model: string }[]) =>
  models.map(({ provider, model }) => `${provider}/${model}`);

describe("an organization's model providers", () => {
  test("are saved, listed with the last changed first, and never show their key", async () => {
    const { save, list, path } = providersOf(await newWorld(server));
    const mistral = {
      provider: "mistral",
      api_key: "SECRET-mistral",
      models: ["a", "b"],
      context_tokens: 8_000,
    };
    const reply = await save(mistral);
    expect(reply.status).toBe(200);
    const shown = {
      base_url: null,
      max_output_tokens: null,
      has_api_key: true,
      created_at: expect.any(String),
    };
    expect(reply.body).toEqual({
      success: true,
      model_provider: {
        ...shown,
        provider: "mistral",
        models: ["a", "b"],
        context_tokens: 8_000,
        updated_at: expect.any(String),
      },
    });
    await save({ provider: "ollama", base_url: "https://llm.example.com" });
    expect(await list()).toMatchObject([
      { provider: "ollama", has_api_key: false, models: null, base_url: "https://llm.example.com" },
      { provider: "mistral", has_api_key: true },
    ]);
    await save({ provider: "mistral", api_key: "SECRET-again" });
    expect(await list()).toMatchObject([
      { provider: "mistral", models: null, context_tokens: null },
      { provider: "ollama" },
    ]);
    expect(JSON.stringify(await list())).not.toContain("SECRET");
    expect(path).toContain("model-providers");
  });

  test("come in pages", async () => {
    const world = await newWorld(server);
    const { save, path } = providersOf(world);
    for (const provider of ["mistral", "google", "openai"]) await save({ provider, api_key: "k" });
    const first = (await world.api.get(`${path}?limit=2`)).body;
    expect(first.model_providers.map(({ provider }: { provider: string }) => provider)).toEqual([
      "openai",
      "google",
    ]);
    const second = (await world.api.get(`${path}?limit=2&cursor=${first.next_cursor}`)).body;
    expect(second).toMatchObject({ model_providers: [{ provider: "mistral" }], next_cursor: null });
  });

  test("are stored sealed, and the trail names neither key nor address", async () => {
    const world = await newWorld(server);
    const { save, forget } = providersOf(world);
    await save(ownOpenai);
    const row = await rowOf(world, "openai");
    expect(row.api_key).toMatch(/^v1\./);
    expect(row.api_key).not.toContain(ownKey);
    expect((await forget("openai")).body).toEqual({ success: true });
    expectProblem(await forget("openai"), "not_found");
    const trail = (await world.api.get("/v1/audit-events?resource_type=model_provider")).body.audit_events;
    expect(trail).toMatchObject([
      { action: "model_provider.deleted", resource: { id: "openai" } },
      { action: "model_provider.saved", resource: { id: "openai" } },
    ]);
    expect(JSON.stringify(trail)).not.toContain(ownKey);
  });

  test.each([
    ["a provider that is none", { provider: "acme", api_key: "k" }, "body.provider"],
    ["no key where one is needed", { provider: "openai" }, "body.api_key"],
    ["an empty key", { provider: "openai", api_key: "" }, "body.api_key"],
    ["a key that is no header", { provider: "openai", api_key: "a\nb" }, "body.api_key"],
    ["no address of one's own server", { provider: "ollama" }, "body.base_url"],
    ["no address of a resource", { provider: "azure", api_key: "k" }, "body.base_url"],
    ["an address that is none", { ...ownOpenai, base_url: "llm.example.com" }, "body.base_url"],
    ["a file", { ...ownOpenai, base_url: "file:///etc/passwd" }, "body.base_url"],
    [
      "credentials in the address",
      { ...ownOpenai, base_url: "https://a:b@llm.example.com" },
      "body.base_url",
    ],
    ["a query in the address", { ...ownOpenai, base_url: "https://llm.example.com?key=1" }, "body.base_url"],
    ["no models at all", { ...ownOpenai, models: [] }, "body.models"],
    ["hardly any context", { ...ownOpenai, context_tokens: 10 }, "body.context_tokens"],
  ])("refuse %s", async (_what, fields, place) => {
    const { save, list } = providersOf(await newWorld(server));
    const reply = await save(fields);
    expect(reply.status).toBe(400);
    expectNamed(reply, place);
    expect(await list()).toEqual([]);
  });

  test("go with their organization, and with their account", async () => {
    const world = await newWorld(server);
    await providersOf(world).save(ownOpenai);
    expect((await world.api.delete(`/v1/org/${hex(world.orgSlug)}`)).status).toBe(200);
    expect(await rowsOf(world)).toEqual([]);
    const other = await newWorld(server);
    await providersOf(other).save(ownOpenai);
    await other.api.delete(`/v1/accounts/${other.accountId}`, { confirm: "Acme" });
    expect(await rowsOf(other)).toEqual([]);
  });

  test("are sealed anew with a new key", async () => {
    const world = await newWorld(server);
    await providersOf(world).save(ownOpenai);
    const keys = [
      "only-for-tests-0123456789abcdef0123456789",
      "another-key-0123456789abcdef0123456789",
    ] as const;
    const rotating = { ...app, secrets: createSecretBox(keys[1], keys[0]) };
    expect(await resealModelProviders(rotating)).toBeGreaterThan(0);
    expect(await resealModelProviders(rotating)).toBe(0);
    const { api_key: sealed } = await rowOf(world, "openai");
    const purpose = `model-provider:${world.organizationId}:openai`;
    expect(createSecretBox(keys[1]).open(sealed ?? "", purpose)).toBe(ownKey);
    // Back again, for the other tests of this server.
    await resealModelProviders({ ...app, secrets: createSecretBox(keys[0], keys[1]) });
  });
});

describe("the choice of a model", () => {
  test("is the installation's without any asking", async () => {
    const { update, stored } = choosing(await newWorld(server));
    expect((await update({ chatProvider: "openai-compatible" })).status).toBe(200);
    expect((await update({ chatModel: "gpt-4o-mini", agentModel: "gpt-4.1" })).status).toBe(200);
    expect(await stored()).toMatchObject({ chatModel: "gpt-4o-mini", agentModel: "gpt-4.1" });
    expect(installed.requests).toHaveLength(0);
  });

  test("is checked against the provider's list, asked once", async () => {
    const world = await newWorld(server);
    const { update, create, stored } = choosing(world);
    await providersOf(world).save(ownOpenai);
    const chosen = { chatProvider: "openai", chatModel: "stub-64" };
    expect((await update(chosen)).body.workspace).toMatchObject(chosen);
    expect((await create({ agentProvider: "openai", agentModel: "gpt-4.1" })).status).toBe(200);
    const refused = await update({ chatModel: "gpt-0", topN: 9 });
    expectProblem(refused, "invalid_request");
    expectNamed(refused, "body.chatModel");
    expect(refused.body.message).toContain('openai offers no model "gpt-0"; it has');
    expectNamed(await create({ agentProvider: "openai", agentModel: "gpt-0" }), "body.agentModel");
    expect(await stored()).toMatchObject({ ...chosen, topN: 4 });
    expect(own.requests.map(({ path }) => path)).toEqual(["/v1/models"]);
    // Other credentials may have other models.
    await providersOf(world).save(ownOpenai);
    await update(chosen);
    expect(own.requests).toHaveLength(2);
  });

  test("takes a vendor's name without its date", async () => {
    const world = await newWorld(server);
    const { update } = choosing(world);
    await providersOf(world).save(ownAnthropic);
    for (const chatModel of ["claude-haiku-4-5", "claude-haiku-4-5-20251001"])
      expect((await update({ chatProvider: "anthropic", chatModel })).status).toBe(200);
    for (const chatModel of ["claude-haiku-4", "claude", "claude-haiku-4-5-2025"])
      expectNamed(await update({ chatModel }), "body.chatModel");
  });

  test("is checked against the organization's own list without asking anybody", async () => {
    const world = await newWorld(server);
    const { update } = choosing(world);
    await providersOf(world).save({ ...ownOpenai, models: ["one", "two"] });
    expect((await update({ chatProvider: "openai", chatModel: "two" })).status).toBe(200);
    expect((await update({ agentProvider: "openai" })).status).toBe(200);
    expectNamed(await update({ chatModel: "gpt-4.1" }), "body.chatModel");
    expect(own.requests).toHaveLength(0);
  });

  test("needs credentials, and a model's name where there is no usual one", async () => {
    const world = await newWorld(server);
    const { update, create } = choosing(world);
    for (const reply of [
      await update({ chatProvider: "mistral" }),
      await create({ chatProvider: "mistral" }),
    ]) {
      expectProblem(reply, "invalid_request");
      expectNamed(reply, "body.chatProvider");
      expect(reply.body.message).toContain("there are no credentials for mistral");
    }
    await providersOf(world).save(ownOpenai);
    const reply = await update({ agentProvider: "openai" });
    expectNamed(reply, "body.agentModel");
    expect(reply.body.message).toContain("must name one of openai's models");
  });

  test("a stale model is refused with a new provider; null clears both", async () => {
    const world = await newWorld(server);
    const { update, stored } = choosing(world);
    await providersOf(world).save({ ...ownOpenai, models: ["one"] });
    await providersOf(world).save({ ...ownAnthropic, models: ["two"] });
    await update({ chatProvider: "openai", chatModel: "one" });
    expectNamed(await update({ chatProvider: "anthropic" }), "body.chatModel");
    expect((await update({ chatProvider: null })).status).toBe(200);
    expect(await stored()).toMatchObject({ chatProvider: null, chatModel: null });
  });

  test("without any model of the installation, a model's name alone says nothing", async () => {
    const bare = await testServer();
    const { update } = choosing(await newWorld(bare));
    const reply = await update({ chatModel: "gpt-4.1" });
    expectProblem(reply, "invalid_request");
    expect(reply.body.message).toContain("body.chatModel: needs chatProvider");
  });

  test("a provider that fails is a problem of the provider's", async () => {
    const world = await newWorld(server);
    const { update } = choosing(world);
    await providersOf(world).save(ownOpenai);
    own.fail({ fault: { kind: "status", status: 500 }, times: 1 });
    expectProblem(await update({ chatProvider: "openai", chatModel: "stub-64" }), "provider_failed");
    // The failure is not remembered.
    expect((await update({ chatProvider: "openai", chatModel: "stub-64" })).status).toBe(200);
  });

  test("a provider that is too slow is given up", async () => {
    const world = await newWorld(server);
    await providersOf(world).save(ownOpenai);
    own.fail({ fault: { kind: "slow", ms: 20_000 }, times: 1 });
    const reply = await choosing(world).update({ chatProvider: "openai", chatModel: "stub-64" });
    expectProblem(reply, "provider_timeout");
  });

  test("credentials that are refused are the organization's to mend", async () => {
    const world = await newWorld(server);
    await providersOf(world).save({ ...ownOpenai, api_key: "wrong-key-8841" });
    const reply = await choosing(world).update({ chatProvider: "openai", chatModel: "stub-64" });
    expectNamed(reply, "body.chatProvider");
    expect(reply.body.message).toContain("refuses the stored credentials");
    expect(reply.body.message).not.toContain("wrong-key-8841");
  });

  test("a private address is not called, although it exists", async () => {
    const world = await newWorld(server);
    for (const base_url of [installed.url, "http://169.254.169.254", "http://localhost:1"]) {
      await providersOf(world).save({ ...ownOpenai, api_key: installationKey, base_url });
      const reply = await choosing(world).update({ chatProvider: "openai", chatModel: "gpt-4.1" });
      expectProblem(reply, "invalid_request");
      expectNamed(reply, "body.chatProvider");
      const [model] = await resolve(world, { provider: "openai", model: "gpt-4.1" });
      await expect(model?.complete(hello, never)).rejects.toBeInstanceOf(ProviderError);
      await expect(model?.complete(hello, never)).rejects.toMatchObject({ code: "address_refused" });
    }
    expect(installed.requests).toHaveLength(0);
  });

  test("a replayed update answers what it answered", async () => {
    const world = await newWorld(server);
    const { update, create } = choosing(world);
    await providersOf(world).save({ ...ownOpenai, models: ["one"] });
    const key = { "idempotency-key": "choice" };
    const first = await update({ chatProvider: "openai", chatModel: "one" }, key);
    expect(first.status).toBe(200);
    expect((await update({ chatProvider: "openai", chatModel: "one" }, key)).body).toEqual(first.body);
    expect((await create({ chatProvider: "openai", chatModel: "one" })).status).toBe(200);
  });
});

describe("the models to ask", () => {
  test("are the installation's own, then those to fall back on that somebody has credentials for", async () => {
    const world = await newWorld(server);
    expect(namesOf(await resolve(world))).toEqual([
      "openai-compatible/gpt-4.1",
      "openai-compatible/gpt-4o-mini",
    ]);
    await providersOf(world).save(ownAnthropic);
    expect(namesOf(await resolve(world))).toEqual([
      "openai-compatible/gpt-4.1",
      "openai-compatible/gpt-4o-mini",
      "anthropic/claude-haiku-4-5",
    ]);
  });

  test("begin with the chosen one, and name none twice", async () => {
    const world = await newWorld(server);
    await providersOf(world).save({ ...ownOpenai, models: ["stub-64", "gpt-4.1"], context_tokens: 9_000 });
    const [usual] = await resolve(world, { provider: "openai" });
    expect(usual).toMatchObject({ model: "stub-64", contextTokens: 9_000 });
    const chosen = await resolve(world, { model: "gpt-4o-mini" });
    expect(namesOf(chosen)).toEqual(["openai-compatible/gpt-4o-mini"]);
    expect(namesOf(await resolve(world, { provider: "azure", model: "gone" }))).toEqual([
      "openai-compatible/gpt-4o-mini",
    ]);
  });

  test("use the organization's own credentials before the installation's, and new ones at once", async () => {
    const world = await newWorld(server);
    const before = await resolve(world);
    expect(await resolve(world)).toEqual(before);
    await before[0]?.complete(hello, never);
    expect(installed.requests[0]?.headers.authorization).toBe(`Bearer ${installationKey}`);
    const { save, forget } = providersOf(world);
    const fields = { provider: "openai-compatible", base_url: own.url };
    await save({ ...fields, api_key: "first-key" });
    await expect((await resolve(world))[0]?.complete(hello, never)).rejects.toMatchObject({
      code: "unauthorized",
    });
    await save({ ...fields, api_key: ownKey });
    own.chat.say({ texts: ["from", " our own"] });
    expect((await (await resolve(world))[0]?.complete(hello, never))?.text).toBe("from our own");
    expect(own.requests.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer first-key",
      `Bearer ${ownKey}`,
    ]);
    await forget("openai-compatible");
    expect((await resolve(world))[0]).toBe(before[0]);
  });

  test("of another organization are out of reach", async () => {
    const [world, stranger] = [await newWorld(server), await newWorld(server)];
    await providersOf(stranger).save(ownAnthropic);
    const foreign = {
      provider: "anthropic",
      model: "claude-haiku-4-5",
      organizationId: stranger.organizationId,
    };
    expect(namesOf(await resolve(world, foreign))).toEqual(["openai-compatible/gpt-4o-mini"]);
  });

  test("are none where nobody has configured one", async () => {
    const bare = await testServer();
    const world = await newWorld(bare);
    const tenant = { partnerId: world.partner.id, accountId: world.accountId };
    const choice = { organizationId: world.organizationId, provider: null, model: null };
    expect(await resolveChatModels(bare.app, tenant, choice)).toEqual([]);
  });

  test("stream through the guarded fetch, and end there, too", async () => {
    const world = await newWorld(server);
    await providersOf(world).save(ownAnthropic);
    const [model] = await resolve(world, { provider: "anthropic", model: "claude-haiku-4-5" });
    anthropic.chat.say(
      { texts: ["a", "b"] },
      { texts: Array.from({ length: 500 }, () => "x"), tokenDelayMs: 10 },
    );
    const heard: string[] = [];
    for await (const event of model?.stream(hello, never) ?? []) heard.push(event.type);
    expect(heard).toEqual(["text", "text", "end"]);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("gone")), 80);
    const reading = (async () => {
      for await (const _ of model?.stream(hello, stop.signal) ?? []);
    })();
    await expect(reading).rejects.toThrow("gone");
    await expect.poll(() => anthropic.chat.streams.at(-1)?.closedByClient).toBe(true);
  });
});

async function rowsOf({ organizationId }: World) {
  return app.db.asSystem("superadmin", (tx) =>
    tx.selectFrom("model_providers").selectAll().where("organization_id", "=", organizationId).execute(),
  );
}

async function rowOf(world: World, provider: string) {
  const row = (await rowsOf(world)).find((one) => one.provider === provider);
  if (row === undefined) throw new Error(`there is no ${provider}`);
  return row;
}

import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import { client, hex, newKey, newWorld, testServer, type World } from "../../test/support.ts";
import { CHAT_PROVIDERS } from "../ports/chat-model.ts";

const server = await testServer();

/** What each setting takes and what it refuses; the first good value is the default. */
const SETTINGS: Record<string, { good: unknown[]; bad: unknown[] }> = {
  openAiTemp: { good: [null, 0, 0.7, 2], bad: [-0.01, 2.01, "0.7", true, [], {}] },
  openAiHistory: { good: [20, 0, 100], bad: [-1, 101, 1.5, "20", null] },
  openAiPrompt: {
    good: [null, "", "Be kind.\nAlways.", "x".repeat(50_000)],
    bad: ["x".repeat(50_001), 1, []],
  },
  similarityThreshold: { good: [0.25, 0, 1], bad: [-0.01, 1.01, "0.25", null] },
  topN: { good: [4, 1, 50], bad: [0, 51, 4.5, "4", null] },
  chatMode: { good: ["automatic", "chat", "query"], bad: ["Chat", "agent", "", null, 1] },
  chatProvider: {
    good: [null, "openai-compatible", "openai", "anthropic", "google", "mistral", "ollama", "azure"],
    bad: ["none", "OpenAI", "", 1],
  },
  chatModel: { good: [null, "m", "x".repeat(200)], bad: ["", "x".repeat(201), 1] },
  agentProvider: { good: [null, "openai"], bad: ["none", "", false] },
  agentModel: { good: [null, "m", "x".repeat(200)], bad: ["", "x".repeat(201), {}] },
  queryRefusalResponse: {
    good: [null, "I do not know.", "x".repeat(5_000)],
    bad: ["", "x".repeat(5_001), 1],
  },
  vectorSearchMode: { good: ["default", "rerank"], bad: ["Default", "hybrid", "", null] },
  handoff_number: {
    good: [null, "+12025550143", "+493012345678"],
    bad: ["", "12025550143", "+1202555014", "+0123456789", "+49 30 12345678", "+499001234567", "112", 1],
  },
};

const DEFAULTS = Object.fromEntries(Object.entries(SETTINGS).map(([name, { good }]) => [name, good[0]]));

/** A model is chosen of a provider. */
const BESIDE: Record<string, object> = {
  chatModel: { chatProvider: "mistral" },
  agentModel: { agentProvider: "mistral" },
};

/** A world whose organization has credentials for every provider, and says which models they have. */
async function newWorldWithModels(): Promise<World> {
  const world = await newWorld(server);
  for (const provider of CHAT_PROVIDERS) {
    const fields = { api_key: "key", base_url: "https://llm.example.com/v1", models: ["m", "x".repeat(200)] };
    const path = `/v1/org/${hex(world.orgSlug)}/model-providers`;
    expect((await world.api.post(path, { provider, ...fields })).status).toBe(200);
  }
  return world;
}

describe("a workspace's settings", () => {
  test("have the documented defaults", async () => {
    const { api, workspaceSlug } = await newWorld(server);
    expect((await api.get(`/v1/workspace/${hex(workspaceSlug)}`)).body.workspace).toMatchObject(DEFAULTS);
  });

  for (const [name, { good, bad }] of Object.entries(SETTINGS)) {
    test(`${name} takes what it says, at birth and later, and nothing else`, async () => {
      const { api, orgSlug, workspaceSlug } = await newWorldWithModels();
      const beside = BESIDE[name] ?? {};
      const update = (value: unknown) =>
        api.post(`/v1/workspace/${hex(workspaceSlug)}/update`, { ...beside, [name]: value });
      const create = (value: unknown) =>
        api.post(`/v1/org/${hex(orgSlug)}/workspaces`, { name: "New", ...beside, [name]: value });
      for (const value of good) {
        for (const reply of [await update(value), await create(value)]) {
          expect(reply.status, JSON.stringify(value)).toBe(200);
          expect(reply.body.workspace).toEqual({
            ...reply.body.workspace,
            ...DEFAULTS,
            ...beside,
            [name]: value,
          });
        }
      }
      for (const value of bad) {
        for (const reply of [await update(value), await create(value)]) {
          expect(reply.status, JSON.stringify(value)).toBe(400);
          expectNamed(reply, `body.${name}`);
        }
      }
      const { workspace } = (await api.get(`/v1/workspace/${hex(workspaceSlug)}`)).body;
      expect(workspace[name]).toEqual(good.at(-1));
    });
  }

  test("all of them can be given at birth, and only what is sent changes later", async () => {
    const { api, orgSlug } = await newWorldWithModels();
    const all = Object.fromEntries(Object.entries(SETTINGS).map(([name, { good }]) => [name, good.at(-1)]));
    const made = await api.post(`/v1/org/${hex(orgSlug)}/workspaces`, { name: "Full", ...all });
    expect(made.body.workspace).toMatchObject(all);
    const path = `/v1/workspace/${made.body.workspace.slug}`;
    const changed = await api.post(`${path}/update`, { topN: 7 });
    expect(changed.body.workspace).toMatchObject({ ...all, name: "Full", topN: 7 });
    expect(Date.parse(changed.body.workspace.lastUpdatedAt)).toBeGreaterThanOrEqual(
      Date.parse(made.body.workspace.lastUpdatedAt),
    );
    expect((await api.get(path)).body.workspace).toMatchObject({ ...all, name: "Full", topN: 7 });
  });

  test("one wrong setting among good ones changes nothing", async () => {
    const { api, workspaceSlug } = await newWorld(server);
    const path = `/v1/workspace/${hex(workspaceSlug)}`;
    const reply = await api.post(`${path}/update`, {
      name: "Changed",
      topN: 7,
      chatMode: "agent",
      openAiTemp: 9,
    });
    expectProblem(reply, "invalid_request");
    expectNamed(reply, "body.chatMode");
    expectNamed(reply, "body.openAiTemp");
    expect((await api.get(path)).body.workspace).toMatchObject({ ...DEFAULTS, name: "Support" });
  });

  test("a change of nothing is refused, and so is a change of the slug", async () => {
    const { api, workspaceSlug } = await newWorld(server);
    const path = `/v1/workspace/${hex(workspaceSlug)}/update`;
    expectProblem(await api.post(path, {}), "invalid_request");
    const reply = await api.post(path, { slug: "other" });
    expectProblem(reply, "invalid_request");
    expectNamed(reply, "body.slug");
  });
});

describe("workspaces", () => {
  test("one that is fetched says where it belongs and what is in it", async () => {
    const { api, orgSlug, organizationId, workspaceSlug, workspaceId } = await newWorld(server);
    const { body } = await api.get(`/v1/workspace/${hex(workspaceSlug)}`);
    expect(body.workspace).toMatchObject({
      id: workspaceId,
      name: "Support",
      slug: hex("support"),
      originalSlug: "support",
      organization: { id: organizationId, slug: hex(orgSlug), originalSlug: orgSlug },
      documents: [],
      threads: [],
      totals: { documents: 0, threads: 0, chunks: 0, tokens: 0 },
    });
  });

  test("a slug is unique in the account, also across its organizations", async () => {
    const { api, workspaceSlug } = await newWorld(server);
    const other = (await api.post("/v1/orgs", { name: "Other" })).body.organization;
    const numbered = await api.post(`/v1/org/${other.slug}/workspaces`, { name: "Support" });
    expect(numbered.body.workspace.originalSlug).toBe("support-2");
    const wanted = await api.post(`/v1/org/${other.slug}/workspaces`, { name: "X", slug: workspaceSlug });
    expectProblem(wanted, "conflict");
    expectNamed(wanted, "body.slug");
  });

  test("the same slug is free in another account", async () => {
    const first = await newWorld(server);
    const second = await newWorld(server, first.partner);
    expect(second.workspaceSlug).toBe(first.workspaceSlug);
    const { body } = await second.api.get(`/v1/workspace/${hex(second.workspaceSlug)}`);
    expect(body.workspace.id).toBe(second.workspaceId);
  });

  test("a slug takes lower-case letters, digits and single hyphens, up to 80", async () => {
    const { api, orgSlug } = await newWorld(server);
    const path = `/v1/org/${hex(orgSlug)}/workspaces`;
    for (const slug of ["a", "a-b-3", "x".repeat(80)]) {
      const reply = await api.post(path, { name: "W", slug });
      expect(reply.body.workspace).toMatchObject({ originalSlug: slug, slug: hex(slug) });
      expect((await api.get(`/v1/workspace/${hex(slug)}`)).status).toBe(200);
    }
    for (const slug of ["", "A", "a_b", "-a", "a-", "a--b", "a b", "ä", "a/b", "x".repeat(81), null]) {
      const reply = await api.post(path, { name: "W", slug });
      expect(reply.status, String(slug)).toBe(400);
      expectNamed(reply, "body.slug");
    }
  });

  test("a slug that is made from a long name is cut, also when it must be numbered", async () => {
    const { api, orgSlug } = await newWorld(server);
    const name = `${"long ".repeat(30)}name`;
    const path = `/v1/org/${hex(orgSlug)}/workspaces`;
    const slugs = [];
    for (let i = 0; i < 2; i += 1) slugs.push((await api.post(path, { name })).body.workspace.originalSlug);
    expect(slugs[0]).toMatch(/^(long-){12}long$/);
    expect(slugs[1]).toBe(`${slugs[0]}-2`);
  });

  test("a new name leaves the slug alone", async () => {
    const { api, workspaceSlug } = await newWorld(server);
    const { body } = await api.post(`/v1/workspace/${hex(workspaceSlug)}/update`, { name: "Sales" });
    expect(body.workspace).toMatchObject({ name: "Sales", originalSlug: workspaceSlug });
  });

  test("the list is the organization's, newest first, in pages without gap or repetition", async () => {
    const { api, orgSlug } = await newWorld(server);
    const other = (await api.post("/v1/orgs", { name: "Other" })).body.organization;
    await api.post(`/v1/org/${other.slug}/workspaces`, { name: "Elsewhere" });
    const path = `/v1/org/${hex(orgSlug)}/workspaces`;
    for (const name of ["w1", "w2", "w3", "w4"]) await api.post(path, { name });
    const seen: string[] = [];
    let query = "?limit=2";
    for (let page = 0; query !== ""; page += 1) {
      const { body } = await api.get(path + query);
      seen.push(...body.workspaces.map(({ name }: { name: string }) => name));
      query = body.next_cursor === null ? "" : `?limit=2&cursor=${body.next_cursor}`;
      expect(page).toBeLessThan(5);
    }
    expect(seen).toEqual(["w4", "w3", "w2", "w1", "Support"]);
  });

  test("a cursor stays good while rows come and go", async () => {
    const { api, orgSlug } = await newWorld(server);
    const path = `/v1/org/${hex(orgSlug)}/workspaces`;
    for (const name of ["w1", "w2", "w3"]) await api.post(path, { name });
    const first = await api.get(`${path}?limit=2`);
    await api.delete(`/v1/workspace/${hex("w2")}`);
    await api.post(path, { name: "w4" });
    const second = await api.get(`${path}?limit=2&cursor=${first.body.next_cursor}`);
    expect(second.body.workspaces.map(({ name }: { name: string }) => name)).toEqual(["w1", "Support"]);
  });

  test("a cursor of another kind of list is refused, and one beyond the end is an empty page", async () => {
    const { api, orgSlug } = await newWorld(server);
    const path = `/v1/org/${hex(orgSlug)}/workspaces`;
    const foreign = Buffer.from("0192f0c1-2b3c-7d4e-8f50-61728394a5b6").toString("base64url");
    expectProblem(await api.get(`${path}?cursor=${foreign}`), "invalid_request");
    const { body } = await api.get(`${path}?cursor=${Buffer.from("1").toString("base64url")}`);
    expect(body).toEqual({ workspaces: [], next_cursor: null });
  });

  test("deleting one leaves its neighbours and frees its slug", async () => {
    const { api, orgSlug, workspaceSlug } = await newWorld(server);
    const path = `/v1/org/${hex(orgSlug)}/workspaces`;
    await api.post(path, { name: "Neighbour" });
    expect((await api.delete(`/v1/workspace/${hex(workspaceSlug)}`)).body).toEqual({ success: true });
    expectProblem(await api.get(`/v1/workspace/${hex(workspaceSlug)}`), "not_found");
    expectProblem(await api.delete(`/v1/workspace/${hex(workspaceSlug)}`), "not_found");
    const left = (await api.get(path)).body.workspaces;
    expect(left.map(({ name }: { name: string }) => name)).toEqual(["Neighbour"]);
    const again = await api.post(path, { name: "Support" });
    expect(again.body.workspace.originalSlug).toBe(workspaceSlug);
  });

  test("a key of one workspace reads and changes it, and dies with it", async () => {
    const { api, partner, accountId, organizationId, workspaceId, workspaceSlug } = await newWorld(server);
    const workspace = { id: workspaceId, organization: { id: organizationId } };
    const key = await newKey(server.app, partner.id, { accountId, workspace });
    const own = client(server.url, key, accountId);
    expect((await own.get(`/v1/workspace/${hex(workspaceSlug)}`)).status).toBe(200);
    expect((await own.post(`/v1/workspace/${hex(workspaceSlug)}/update`, { topN: 9 })).status).toBe(200);
    await api.delete(`/v1/workspace/${hex(workspaceSlug)}`);
    expectProblem(await own.get("/v1/auth"), "invalid_api_key");
  });
});

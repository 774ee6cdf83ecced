import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import {
  client,
  hex,
  newKey,
  newWorld,
  startTestServer,
  testServer,
  type World,
} from "../../test/support.ts";
import { insertNumber } from "../../test/voice-support.ts";
import { CATALOG, type Model } from "./catalog.ts";
import { callOwner, ELEVEN, headersOf, newVoice, VAPI, voicePath } from "./test-support.ts";

const server = await testServer();
const { app } = server;

/** A second workspace of the same organization. */
async function anotherWorkspace(world: World): Promise<string> {
  return (await makeWorkspace(world)).originalSlug;
}

async function makeWorkspace(world: World) {
  const { body } = await world.api.post(`/v1/org/${hex(world.orgSlug)}/workspaces`, { name: "Sales" });
  return body.workspace;
}

describe("the catalog", () => {
  test("names the providers of the contract, each value once, with a label", async () => {
    const world = await newWorld(server);
    const { body } = await world.api.get("/v1/voice-integration/catalog");
    expect(Object.keys(body.voice.providers)).toEqual(["vapi", "11labs"]);
    expect(Object.keys(body.transcriber.providers)).toEqual(["deepgram", "11labs"]);
    expect(body.voice.providers["11labs"].voiceIdFreeform).toBe(true);
    expect(body.version).toMatch(/^\d{4}-\d\d-\d\d$/);
    const models: Model[] = [
      ...body.voice.providers["11labs"].models,
      ...body.transcriber.providers.deepgram.models,
      ...body.transcriber.providers["11labs"].models,
    ];
    const lists = [
      body.voice.providers.vapi.voiceIds,
      models.slice(0, 5),
      ...models.map((one) => one.languages),
    ];
    for (const list of lists) {
      const values = list.map(({ value }: { value: string }) => value);
      expect(values.length).toBeGreaterThan(0);
      expect(new Set(values).size).toBe(values.length);
      for (const { label } of list) expect(label).toMatch(/\S/);
    }
  });

  test("is what is checked: its own defaults, and every choice in it, are accepted", async () => {
    const { patch, made } = await newVoice(server);
    expect(made).toMatchObject(CATALOG.defaults);
    for (const { value } of CATALOG.voice.providers.vapi.voiceIds)
      expect((await patch({ voice: { provider: "vapi", voiceId: value } })).status).toBe(200);
    for (const { value } of CATALOG.voice.providers["11labs"].models)
      expect((await patch({ voice: { ...ELEVEN, model: value } })).status).toBe(200);
    for (const provider of ["deepgram", "11labs"] as const) {
      const models: readonly Model[] = CATALOG.transcriber.providers[provider].models;
      for (const { value: model, languages } of models)
        for (const language of [languages[0]?.value, languages.at(-1)?.value])
          expect((await patch({ transcriber: { provider, model, language } })).status).toBe(200);
    }
  });

  test("is answered 304 to whoever has it already", async () => {
    const world = await newWorld(server);
    const url = `${server.url}/api/v1/voice-integration/catalog`;
    const first = await fetch(url, { headers: headersOf(world) });
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"\d{4}-\d\d-\d\d-.{12}"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const again = await fetch(url, { headers: { ...headersOf(world), "if-none-match": known } });
      expect([again.status, await again.text(), again.headers.get("etag")]).toEqual([304, "", etag]);
    }
    const changed = await fetch(url, { headers: { ...headersOf(world), "if-none-match": '"2020-01-01"' } });
    expect(changed.status).toBe(200);
    expect(await changed.json()).toMatchObject({ version: CATALOG.version });
  });
});

describe("provisioning", () => {
  test("fills what is not sent from the catalog's defaults", async () => {
    const { made, world, path } = await newVoice(server, {
      prompt: "Be brief.",
      voice: { voiceId: "Savannah" },
    });
    expect(made).toMatchObject({
      ...CATALOG.defaults,
      prompt: "Be brief.",
      voice: { provider: "vapi", voiceId: "Savannah" },
      number_id: null,
      number: null,
      engine: "relay",
      version: 1,
    });
    expect((await world.api.get(path)).body).toEqual({ voice_integration: made });
  });

  test("is done once: a second time it is 409, also when both come at the same moment", async () => {
    const { world, path } = await newVoice(server);
    expectProblem(await world.api.post(path, {}), "conflict");
    const fresh = await newWorld(server);
    const replies = await Promise.all(
      [1, 2, 3].map(() => fresh.api.post(voicePath(fresh.workspaceSlug), {})),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  });

  test("is 404 to whoever asks before it, and after the integration was removed", async () => {
    const world = await newWorld(server);
    const path = voicePath(world.workspaceSlug);
    const all = async () => [
      await world.api.get(path),
      await world.api.patch(path, { prompt: "x" }),
      await world.api.delete(path),
    ];
    for (const reply of await all()) expectProblem(reply, "not_found");
    await world.api.post(path, {});
    expect((await world.api.delete(path)).body).toEqual({ success: true });
    for (const reply of await all()) expectProblem(reply, "not_found");
  });

  test("says what is missing before callers are answered", async () => {
    const { world, path, patch, made } = await newVoice(server);
    const failing = (shown: { checks: { ok: boolean; name: string }[] }) =>
      shown.checks.filter(({ ok }) => !ok).map(({ name }) => name);
    expect([made.status, failing(made)]).toEqual(["needs_attention", ["number", "carrier"]]);
    await patch({ number_id: await insertNumber(app, callOwner(world)) });
    const shown = (await world.api.get(path)).body.voice_integration;
    expect([shown.status, failing(shown)]).toEqual(["needs_attention", ["carrier"]]);
  });

  test("is active with a carrier and a number, and awaits one without", async () => {
    const own = await startTestServer({
      CARRIER: "telnyx",
      TELNYX_API_KEY: "key",
      TELNYX_PUBLIC_KEY: Buffer.alloc(32).toString("base64"),
      PUBLIC_URL: "https://voice.example.com",
    });
    try {
      const world = await newWorld(own);
      const path = voicePath(world.workspaceSlug);
      const made = await world.api.post(path, {});
      expect(made.body.voice_integration.status).toBe("awaiting_number");
      const number_id = await insertNumber(own.app, callOwner(world), "+390612345678");
      const linked = (await world.api.patch(path, { number_id })).body.voice_integration;
      expect(linked).toMatchObject({ status: "active", number: "+390612345678", number_id });
    } finally {
      await own.close();
    }
  });
});

describe("a number", () => {
  test("is linked, kept when it is not sent, and unlinked by null", async () => {
    const { world, path, patch } = await newVoice(server);
    const number_id = await insertNumber(app, callOwner(world));
    expect((await patch({ number_id })).body.voice_integration).toMatchObject({ number_id });
    expect((await patch({ prompt: "x" })).body.voice_integration).toMatchObject({ number_id });
    const numbers = async () => (await world.api.get(`/v1/org/${hex(world.orgSlug)}/numbers`)).body.numbers;
    expect(await numbers()).toMatchObject([{ id: number_id, voice_integration: { workspace: "support" } }]);
    const unlinked = (await patch({ number_id: null })).body.voice_integration;
    expect([unlinked.number_id, unlinked.number]).toEqual([null, null]);
    expect(await numbers()).toMatchObject([{ id: number_id, voice_integration: null }]);
    expect((await world.api.get(path)).body.voice_integration.number_id).toBeNull();
  });

  test("of another organization is refused as one that does not exist", async () => {
    const { patch } = await newVoice(server);
    const other = await newWorld(server);
    const theirs = await patch({ number_id: await insertNumber(app, callOwner(other)) });
    const nobodys = await patch({ number_id: 2_147_483_647 });
    expectProblem(theirs, "invalid_request");
    expectNamed(theirs, "body.number_id");
    expect(theirs.body.details).toEqual(nobodys.body.details);
  });

  test("that rings elsewhere already is 409, when changing and when provisioning, until it is unlinked", async () => {
    const { world, patch } = await newVoice(server);
    const number_id = await insertNumber(app, callOwner(world));
    await patch({ number_id });
    const slug = await anotherWorkspace(world);
    const refused = await world.api.post(voicePath(slug), { number_id });
    expectProblem(refused, "conflict");
    expectNamed(refused, "body.number_id");
    await world.api.post(voicePath(slug), {});
    expectProblem(await world.api.patch(voicePath(slug), { number_id }), "conflict");
    await patch({ number_id: null });
    expect((await world.api.patch(voicePath(slug), { number_id })).status).toBe(200);
  });

  test("that many link at the same moment rings in one place", async () => {
    const { world } = await newVoice(server);
    const number_id = await insertNumber(app, callOwner(world));
    const slugs = [world.workspaceSlug, ...(await Promise.all([1, 2, 3].map(() => anotherWorkspace(world))))];
    await Promise.all(slugs.slice(1).map((slug) => world.api.post(voicePath(slug), {})));
    const replies = await Promise.all(slugs.map((slug) => world.api.patch(voicePath(slug), { number_id })));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
  });

  test("of a removed integration is free again", async () => {
    const { world, path, patch } = await newVoice(server);
    const number_id = await insertNumber(app, callOwner(world));
    await patch({ number_id });
    await world.api.delete(path);
    const again = await world.api.post(voicePath(await anotherWorkspace(world)), { number_id });
    expect(again.status).toBe(200);
  });

  test("that a key of another workspace wants is refused like any other that is taken", async () => {
    const { world, patch } = await newVoice(server);
    const number_id = await insertNumber(app, callOwner(world));
    await patch({ number_id });
    const workspace = await makeWorkspace(world);
    const slug = workspace.originalSlug;
    const key = await newKey(app, world.partner.id, { accountId: world.accountId, workspace });
    const narrow = client(server.url, key, world.accountId);
    expectProblem(await narrow.post(voicePath(slug), { number_id }), "conflict");
  });
});

describe("the version", () => {
  test("grows with every change, is the ETag, and does not grow when nothing changes", async () => {
    const { world, path, patch } = await newVoice(server);
    const changed = await patch({ prompt: "New" });
    expect([changed.body.voice_integration.version, changed.headers.get("etag")]).toEqual([2, '"2"']);
    const same = await patch({ prompt: "New", voice: VAPI });
    expect(same.body.voice_integration).toEqual(changed.body.voice_integration);
    expect((await world.api.get(path)).headers.get("etag")).toBe('"2"');
  });

  test("that If-Match names must be the current one: otherwise 412, and nothing is done", async () => {
    const { world, path, patch } = await newVoice(server);
    for (const stale of ['"0"', '"2"', "1", 'W/"1"', "nonsense", ""]) {
      const reply = await patch({ prompt: "Lost" }, { "if-match": stale });
      expectProblem(reply, "precondition_failed");
    }
    expect((await world.api.get(path)).body.voice_integration).toMatchObject({ prompt: "", version: 1 });
    for (const good of ['"1"', '"9", "2"', "*"])
      expect((await patch({ prompt: `by ${good}` }, { "if-match": good })).status).toBe(200);
  });

  test("lets one of many through who have read the same", async () => {
    const { patch } = await newVoice(server);
    const replies = await Promise.all(
      [1, 2, 3, 4].map((n) => patch({ prompt: `by ${n}` }, { "if-match": '"1"' })),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
  });

  test("of a new integration goes on behind the old one's, so that no stale If-Match fits it", async () => {
    const { world, path, patch } = await newVoice(server);
    await patch({ prompt: "x" });
    await world.api.delete(path);
    const again = (await world.api.post(path, {})).body.voice_integration;
    expect(again.version).toBe(3);
    expectProblem(await patch({ prompt: "y" }, { "if-match": '"2"' }), "precondition_failed");
  });

  test("leaves a trail: every configuration is kept, and every change is audited without its values", async () => {
    const { world, path, patch, made } = await newVoice(server);
    await patch({ prompt: "A secret recipe" });
    await world.api.delete(path);
    const kept = await app.db.asTenant({ partnerId: world.partner.id, accountId: world.accountId }, (tx) =>
      tx
        .selectFrom("voice_configurations")
        .select(["version", "config"])
        .where("integration_id", "=", made.id)
        .orderBy("version")
        .execute(),
    );
    expect(kept).toMatchObject([
      { version: 1, config: { prompt: "" } },
      { version: 2, config: { prompt: "A secret recipe" } },
    ]);
    const { body } = await world.api.get("/v1/audit-events?resource_type=voice_integration");
    const own = body.audit_events;
    expect(own).toMatchObject([
      { action: "voice_integration.deleted" },
      { action: "voice_integration.updated", details: { fields: ["prompt"], version: 2 } },
      { action: "voice_integration.created" },
    ]);
    expect(JSON.stringify(own)).not.toContain("recipe");
  });
});

import { createHash, randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import { client, hex, newKey } from "../../test/support.ts";
import { type ToolWorld, texts, toolHouse, toolWorld } from "../../test/tool-support.ts";
import { deleteToolCallsBefore, deleteToolCallsOf, recordToolCall } from "./tool-calls.ts";

const house = await toolHouse();
const { app } = house.server;
const url = `http://api.test:${house.api.port}/echo/{id}`;
const attach = (world: ToolWorld) => world.attach({ parameters: texts("id"), http: { method: "GET", url } });
const entry = {
  toolId: null,
  toolName: "search_documents",
  arguments: { q: "x" },
  code: null,
  ms: 1.6,
  bytes: 2,
};

describe("the ledger", () => {
  test("has a row for every call, with a hash of its arguments and nothing of them", async () => {
    const world = await toolWorld(house);
    const tool = await attach(world);
    await world.call(tool, { id: "PERSONAL-1" });
    await world.call(tool, { id: 5 });
    const [refused, made] = await world.ledger();
    expect(made).toEqual({
      id: expect.any(String),
      tool_id: tool.toolId,
      tool_name: tool.chat.name,
      conversation_id: null,
      turn_id: world.context.turnId,
      arguments_sha256: createHash("sha256").update('{"id":"PERSONAL-1"}').digest("hex"),
      status: "ok",
      code: null,
      http_status: 200,
      ms: expect.any(Number),
      bytes: expect.any(Number),
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(refused).toMatchObject({
      status: "failed",
      code: "invalid_arguments",
      http_status: null,
      bytes: 0,
    });
    expect(house.lines.join("")).not.toContain("PERSONAL");
  });

  test("takes calls of what is built in, and of what the assistant refused", async () => {
    const world = await toolWorld(house);
    await recordToolCall(app, world.context, entry);
    const toolName = `no such tool\u0000${"x".repeat(300)}`;
    await recordToolCall(app, world.context, { ...entry, toolName, code: "unknown_tool" });
    const [refused, builtIn] = await world.ledger();
    expect(builtIn).toMatchObject({
      tool_id: null,
      tool_name: "search_documents",
      status: "ok",
      ms: 2,
      bytes: 2,
    });
    expect(refused).toMatchObject({ status: "failed", code: "unknown_tool" });
    expect(refused.tool_name).toHaveLength(200);
  });

  test("outlives the tool", async () => {
    const world = await toolWorld(house);
    const tool = await attach(world);
    await world.call(tool, { id: "a" });
    await world.api.delete(`/v1/org/${hex(world.orgSlug)}/tools/${tool.toolId}?force=true`);
    expect(await world.call(tool, { id: "a" })).toMatchObject({ status: "failed", code: "tool_unavailable" });
    expect(await world.ledger()).toMatchObject([
      { tool_id: null },
      { tool_id: null, tool_name: tool.chat.name },
    ]);
  });

  test("is read in pages, by tool, by how a call ended and by conversation", async () => {
    const world = await toolWorld(house);
    const [one, two] = [await attach(world), await attach(world)];
    for (const id of ["a", "b", 3]) await world.call(one, { id });
    await world.call(two, { id: "c" });
    const conversationId = randomUUID();
    await recordToolCall(app, { ...world.context, conversationId }, entry);
    const path = `/v1/workspace/${hex(world.workspaceSlug)}/tool-calls`;
    const seen: string[] = [];
    for (let query: string | null = "?limit=2"; query !== null; ) {
      const { body } = await world.api.get(path + query);
      expect(body.tool_calls.length).toBeLessThanOrEqual(2);
      seen.push(...body.tool_calls.map(({ id }: { id: string }) => id));
      query = body.next_cursor === null ? null : `?limit=2&cursor=${body.next_cursor}`;
    }
    expect(seen).toEqual([...seen].sort().reverse());
    expect(new Set(seen).size).toBe(5);
    expect(await world.ledger(`?tool_id=${one.toolId}`)).toHaveLength(3);
    expect(await world.ledger(`?tool_id=${one.toolId}&status=failed`)).toHaveLength(1);
    expect(await world.ledger(`?status=ok`)).toHaveLength(4);
    expect(await world.ledger(`?conversation_id=${conversationId}`)).toHaveLength(1);
    for (const [name, value] of [
      ["tool_id", "x"],
      ["status", "done"],
      ["conversation_id", "1"],
      ["cursor", "x"],
    ]) {
      expectNamed(await world.api.get(`${path}?${name}=${value}`), `query.${name}`);
    }
  });

  test("is seen by nobody else, and not without the scope", async () => {
    const world = await toolWorld(house);
    await world.call(await attach(world), { id: "a" });
    const path = `/v1/workspace/${hex(world.workspaceSlug)}/tool-calls`;
    const stranger = await toolWorld(house);
    expect(await stranger.ledger()).toEqual([]);
    const lost = await stranger.api.get(`/v1/workspace/${hex("nowhere")}/tool-calls`);
    expectProblem(lost, "not_found");
    const key = await newKey(app, world.partner.id, { scopes: ["workspaces:read"] });
    expectProblem(await client(house.server.url, key, world.accountId).get(path), "insufficient_scope");
    const theirs = await app.db.asTenant(
      { partnerId: stranger.partner.id, accountId: stranger.accountId },
      (tx) => tx.selectFrom("tool_calls").select("id").execute(),
    );
    expect(theirs).toEqual([]);
  });

  test("cannot be written into another workspace", async () => {
    const [world, stranger] = [await toolWorld(house), await toolWorld(house)];
    const foreign = { ...world.context, workspaceId: stranger.workspaceId };
    // The row's owner is no workspace of that account, so there is nothing to refer to.
    await recordToolCall(app, foreign, entry);
    expect([await world.ledger(), await stranger.ledger()]).toEqual([[], []]);
  });
});

describe("old calls", () => {
  test("are deleted by their age, in bounded steps, and by their conversation", async () => {
    const [world, other] = [await toolWorld(house), await toolWorld(house)];
    const conversationId = randomUUID();
    for (let i = 0; i < 5; i += 1) await recordToolCall(app, world.context, entry);
    await recordToolCall(app, { ...world.context, conversationId }, entry);
    await recordToolCall(app, { ...other.context, conversationId }, entry);
    const inTenant = <T>(work: Parameters<typeof app.db.asTenant<T>>[1]) =>
      app.db.asTenant({ partnerId: world.partner.id, accountId: world.accountId }, work);
    expect(await inTenant((tx) => deleteToolCallsOf(tx, []))).toBe(0);
    expect(await inTenant((tx) => deleteToolCallsOf(tx, [conversationId]))).toBe(1);
    const soon = new Date(Date.now() + 60_000);
    const deleteBefore = (time: Date, limit?: number) =>
      inTenant((tx) => deleteToolCallsBefore(tx, world.workspaceId, time, limit));
    expect(await deleteBefore(new Date(Date.now() - 60_000))).toBe(0);
    expect([await deleteBefore(soon, 3), await deleteBefore(soon, 3), await deleteBefore(soon)]).toEqual([
      3, 2, 0,
    ]);
    expect(await other.ledger()).toHaveLength(1);
  });

  test.each(["workspace", "organization", "account"] as const)(
    "go with their %s, and only they",
    async (level) => {
      const [world, other] = [await toolWorld(house), await toolWorld(house)];
      for (const one of [world, other]) await recordToolCall(app, one.context, entry);
      if (level === "workspace") await world.api.delete(`/v1/workspace/${hex(world.workspaceSlug)}`);
      if (level === "organization") await world.api.delete(`/v1/org/${hex(world.orgSlug)}`);
      if (level === "account") await world.api.delete(`/v1/accounts/${world.accountId}`, { confirm: "Acme" });
      const left = () =>
        app.db.asSystem("superadmin", (tx) =>
          tx
            .selectFrom("tool_calls")
            .select("workspace_id")
            .where("workspace_id", "in", [world.workspaceId, other.workspaceId])
            .execute(),
        );
      await expect.poll(left, { timeout: 10_000 }).toEqual([{ workspace_id: other.workspaceId }]);
      // A turn that is still under way has nowhere to be written down.
      await recordToolCall(app, world.context, entry);
      expect(await left()).toHaveLength(1);
    },
  );
});

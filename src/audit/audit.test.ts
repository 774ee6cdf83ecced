import { describe, expect, test } from "vitest";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import { newPlace } from "../../test/registry.ts";
import { client, hex, newKey, newWorld, operator, testServer } from "../../test/support.ts";
import { updateAccount } from "../accounts/accounts.service.ts";
import type { AuditEvent } from "./audit.schemas.ts";

const server = await testServer();
const KEY_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7/;

/** The whole trail of a partner, newest first. */
async function trail(key: string, query = ""): Promise<AuditEvent[]> {
  return (await client(server.url, key).get(`/v1/audit-events${query}`)).body.audit_events;
}

const actions = (events: AuditEvent[]) => events.map(({ action }) => action);

describe("the audit trail", () => {
  test("has one entry for every change, newest first, saying what, where, by which key and in which request", async () => {
    const { api, partner, accountId, organizationId, workspaceId, workspaceSlug } = await newWorld(server);
    const reply = await api.post(`/v1/workspace/${hex(workspaceSlug)}/update`, {
      topN: 9,
      name: "Kept private",
    });
    const [latest, ...before] = await trail(partner.key);
    expect(latest).toEqual({
      id: expect.stringMatching(KEY_ID),
      account_id: accountId,
      organization_id: organizationId,
      workspace_id: workspaceId,
      actor: { kind: "key", id: expect.stringMatching(KEY_ID) },
      action: "workspace.updated",
      resource: { type: "workspace", id: String(workspaceId) },
      details: { fields: expect.arrayContaining(["topN", "name"]) },
      request_id: reply.headers.get("x-request-id"),
      created_at: expect.any(String),
    });
    expect(JSON.stringify(latest)).not.toContain("Kept private");
    expect(actions(before)).toEqual([
      "workspace.created",
      "organization.created",
      "account.created",
      "key.created",
    ]);
  });

  test("tells every action by its name", async () => {
    const place = await newPlace(server);
    const own = client(server.url, place.partner.key);
    const { api, accountId } = place;
    const org = `/v1/org/${hex(place.orgSlug)}`;
    const workspace = `/v1/workspace/${hex(place.workspaceSlug)}`;
    await own.patch(`/v1/accounts/${accountId}`, { allowed_origins: [] });
    await own.post(`/v1/accounts/${accountId}/suspend`);
    await own.post(`/v1/accounts/${accountId}/resume`);
    await api.post(`${org}/update`, { name: "New" });
    await api.post(`${workspace}/tools`, { tool_id: place.toolId });
    await api.post(`${workspace}/tools`, { tool_id: place.toolId });
    await api.delete(`${workspace}/tools/${place.toolId}`);
    await api.patch(`${org}/tools/${place.toolId}`, { enabled: false });
    await api.delete(`${org}/tools/${place.toolId}`);
    await api.delete(workspace);
    await api.delete(org);
    await own.delete(`/v1/accounts/${accountId}`, { confirm: place.accountName });
    expect(actions(await trail(place.partner.key)).slice(0, 11)).toEqual([
      "account.deleted",
      "organization.deleted",
      "workspace.deleted",
      "tool.deleted",
      "tool.updated",
      "tool.detached",
      "tool.attached",
      "organization.updated",
      "account.resumed",
      "account.suspended",
      "account.updated",
    ]);
  });

  test("has nothing of what was refused or only read", async () => {
    const { api, partner, accountId, orgSlug, workspaceSlug } = await newWorld(server);
    const own = client(server.url, partner.key);
    const before = await trail(partner.key);
    await own.post("/v1/accounts", { name: "" });
    await own.delete(`/v1/accounts/${accountId}`, { confirm: "wrong" });
    await api.post("/v1/orgs", { name: "X", slug: orgSlug });
    await api.post(`/v1/org/${hex("unknown")}/update`, { name: "X" });
    await api.post(`/v1/workspace/${hex(workspaceSlug)}/update`, { topN: 0 });
    await api.post(`/v1/workspace/${hex(workspaceSlug)}/tools`, { tool_id: accountId });
    await api.get(`/v1/workspace/${hex(workspaceSlug)}`);
    await client(server.url, await newKey(server.app, partner.id, { scopes: [] }), accountId).post(
      "/v1/orgs",
      { name: "X" },
    );
    expect((await trail(partner.key)).filter(({ action }) => action !== "key.created")).toEqual(
      before.filter(({ action }) => action !== "key.created"),
    );
  });

  test("a change without its entry does not happen", async () => {
    const { partner, accountId } = await newWorld(server);
    const [taken] = await trail(partner.key);
    const clumsy = { ...server.app, newId: () => taken?.id ?? "" };
    const change = updateAccount(clumsy, operator(partner.id), accountId, { name: "Changed" });
    await expect(change).rejects.toThrow(/audit_events/);
    const { body } = await client(server.url, partner.key).get("/v1/accounts");
    expect(body.accounts[0].name).toBe("Acme");
  });

  test("outlives what it speaks of, without a name of it", async () => {
    const place = await newPlace(server);
    const own = client(server.url, place.partner.key);
    await own.delete(`/v1/accounts/${place.accountId}`, { confirm: place.accountName });
    const events = await trail(place.partner.key);
    expect(events.filter(({ account_id }) => account_id === place.accountId).length).toBeGreaterThan(4);
    expect(JSON.stringify(events)).not.toContain(place.marker);
  });

  test("is narrowed by X-Account-Id, and by a key of one account", async () => {
    const first = await newWorld(server);
    const second = await newWorld(server, first.partner);
    const narrow = await newKey(server.app, first.partner.id, { accountId: first.accountId });
    const byHeader = (await first.api.get("/v1/audit-events")).body.audit_events;
    const byKey = await trail(narrow);
    expect(byKey).toEqual(byHeader);
    expect(new Set(byHeader.map((event: AuditEvent) => event.account_id))).toEqual(
      new Set([first.accountId]),
    );
    const all = await trail(first.partner.key);
    expect(new Set(all.map(({ account_id }) => account_id))).toEqual(
      new Set([first.accountId, second.accountId, null]),
    );
  });

  test("is filtered by action, resource and time", async () => {
    const { api, partner, organizationId, workspaceId, workspaceSlug } = await newWorld(server);
    const update = () => api.post(`/v1/workspace/${hex(workspaceSlug)}/update`, { topN: 9 });
    await update();
    await update();
    expect(actions(await trail(partner.key, "?action=workspace.updated"))).toEqual(
      Array(2).fill("workspace.updated"),
    );
    expect(await trail(partner.key, "?action=workspace.nothing")).toEqual([]);
    expect(actions(await trail(partner.key, "?resource_type=organization"))).toEqual([
      "organization.created",
    ]);
    const both = `?resource_type=workspace&resource_id=${workspaceId}`;
    expect(actions(await trail(partner.key, both))).toEqual([
      "workspace.updated",
      "workspace.updated",
      "workspace.created",
    ]);
    expect(await trail(partner.key, `?resource_type=tool&resource_id=${organizationId}`)).toEqual([]);

    const all = await trail(partner.key);
    const moment = all[0]?.created_at ?? "";
    const since = await trail(partner.key, `?from=${moment}`);
    const until = await trail(partner.key, `?to=${moment}`);
    expect(since.length).toBeGreaterThan(0);
    expect([...since, ...until]).toEqual(all);
    expect(await trail(partner.key, "?from=2099-01-01T00:00:00.000Z")).toEqual([]);
  });

  test("times that are none are refused, naming the filter", async () => {
    const { api } = await newWorld(server);
    for (const time of [
      "yesterday",
      "2026-01-01",
      "2026-02-30T00:00:00.000Z",
      "2026-01-01T00:00:00.000%2B02:00",
      "",
    ]) {
      for (const name of ["from", "to"]) {
        const reply = await api.get(`/v1/audit-events?${name}=${time}`);
        expectProblem(reply, "invalid_request");
        expectNamed(reply, `query.${name}`);
      }
    }
  });

  test("goes in pages, also through a filter", async () => {
    const { api, partner, workspaceSlug } = await newWorld(server);
    for (const topN of [1, 2, 3, 4, 5])
      await api.post(`/v1/workspace/${hex(workspaceSlug)}/update`, { topN });
    const wanted = (await trail(partner.key, "?action=workspace.updated")).map(({ id }) => id);
    const seen: string[] = [];
    let cursor = "";
    do {
      const { body } = await api.get(`/v1/audit-events?action=workspace.updated&limit=2${cursor}`);
      seen.push(...body.audit_events.map(({ id }: AuditEvent) => id));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(wanted);
    expect(seen).toHaveLength(5);
  });
});

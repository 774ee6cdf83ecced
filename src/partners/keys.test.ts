import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { expectProblem } from "../../test/expectations.ts";
import { client, newKey, newPartner, newWorld, operator, testServer } from "../../test/support.ts";
import { createKeyDirectory } from "./key-directory.ts";
import { createKey, listKeys, revokeKey } from "./keys.service.ts";

const server = await testServer();

describe("an API key", () => {
  test("is shown once and stored as a hash, with a prefix to know it by", async () => {
    const { id } = await newPartner(server.app);
    const issued = await createKey(server.app, operator(id), { name: "Voice" });
    expect(issued.key).toMatch(/^lum_[A-Za-z0-9_-]{43}[0-9a-f]{8}$/);
    expect(issued.prefix).toBe(issued.key.slice(0, 12));
    const row = await server.app.db.asSystem("keys", (tx) =>
      tx.selectFrom("api_keys").selectAll().where("id", "=", issued.id).executeTakeFirstOrThrow(),
    );
    expect(row.hash).toEqual(createHash("sha256").update(issued.key).digest());
    expect(JSON.stringify({ ...row, hash: null })).not.toContain(issued.key.slice(12));
    const listed = await listKeys(server.app, id);
    expect(listed.map(({ name }) => name)).toEqual(["Voice", "API key"]);
    expect(JSON.stringify(listed)).not.toContain(issued.key.slice(12));
  });

  test("that is revoked opens nothing from then on, and the others go on", async () => {
    const partner = await newPartner(server.app);
    const issued = await createKey(server.app, operator(partner.id), {});
    const api = client(server.url, issued.key);
    expect((await api.get("/v1/auth")).body).toEqual({ authenticated: true });
    const revoked = await revokeKey(server.app, operator(partner.id), issued.id);
    expectProblem(await api.get("/v1/auth"), "invalid_api_key");
    expect((await client(server.url, partner.key).get("/v1/auth")).status).toBe(200);
    const again = await revokeKey(server.app, operator(partner.id), issued.id);
    expect(again.revoked_at).toBe(revoked.revoked_at);
  });

  test("of another partner cannot be revoked", async () => {
    const { id } = await newPartner(server.app);
    const other = await newPartner(server.app);
    const issued = await createKey(server.app, operator(id), {});
    await expect(revokeKey(server.app, operator(other.id), issued.id)).rejects.toThrow(/has no API key/);
    expect((await client(server.url, issued.key).get("/v1/auth")).status).toBe(200);
  });

  test("ends when it expires, also when it was in use just before", async () => {
    const { id } = await newPartner(server.app);
    const api = client(server.url, await newKey(server.app, id, { expiresAt: new Date(Date.now() + 1_500) }));
    expect((await api.get("/v1/auth")).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    expectProblem(await api.get("/v1/auth"), "invalid_api_key");
  });

  test("cannot be issued with an unknown scope, an end in the past, or for nobody", async () => {
    const { id } = await newPartner(server.app);
    await expect(newKey(server.app, id, { scopes: ["orgs:read"] })).rejects.toThrow(/is not a scope/);
    await expect(newKey(server.app, id, { expiresAt: new Date(0) })).rejects.toThrow(/past/);
    const nobody = "0192f0c1-2b3c-7d4e-8f50-61728394a5b6";
    await expect(newKey(server.app, nobody)).rejects.toThrow(/no partner/);
  });

  test("cannot be limited to another partner's account", async () => {
    const { id } = await newPartner(server.app);
    const { accountId } = await newWorld(server);
    await expect(newKey(server.app, id, { accountId })).rejects.toThrow();
  });

  test("that is limited to an account lists it alone and makes no others", async () => {
    const { partner, accountId, api } = await newWorld(server);
    const other = await newWorld(server, partner);
    const limited = client(server.url, await newKey(server.app, partner.id, { accountId }));
    const accounts = (await limited.get("/v1/accounts")).body.accounts;
    expect(accounts.map(({ id }: { id: string }) => id)).toEqual([accountId]);
    expectProblem(await limited.post("/v1/accounts", { name: "New" }), "insufficient_scope");
    expectProblem(await limited.patch(`/v1/accounts/${accountId}`, { name: "New" }), "insufficient_scope");
    expectProblem(await limited.post(`/v1/accounts/${other.accountId}/suspend`), "insufficient_scope");
    const organizations = (await limited.get("/v1/orgs")).body.organizations;
    expect(organizations).toEqual((await api.get("/v1/orgs")).body.organizations);
  });

  test("remembers when it was last used", async () => {
    const partner = await newPartner(server.app);
    const directory = createKeyDirectory(server.app);
    await directory.find(partner.key);
    await directory.close();
    const [key] = await listKeys(server.app, partner.id);
    expect(Date.parse(key?.last_used_at ?? "")).toBeGreaterThan(Date.now() - 60_000);
  });
});

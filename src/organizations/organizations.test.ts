import { describe, expect, test } from "vitest";
import { client, hex, newWorld, testServer } from "../../test/support.ts";

const server = await testServer();

describe("organizations", () => {
  test("a slug is made from the name, and a taken one is numbered", async () => {
    const { api } = await newWorld(server);
    const slugs = [];
    for (let i = 0; i < 3; i += 1) {
      const { body } = await api.post("/v1/orgs", { name: "Crème Brûlée GmbH & Co." });
      slugs.push(body.organization.originalSlug);
    }
    expect(slugs).toEqual(["creme-brulee-gmbh-co", "creme-brulee-gmbh-co-2", "creme-brulee-gmbh-co-3"]);
  });

  test("a name in another script is transliterated, and one without letters gets a plain slug", async () => {
    const { api } = await newWorld(server);
    const japanese = await api.post("/v1/orgs", { name: "日本" });
    const none = await api.post("/v1/orgs", { name: "!!!" });
    expect(japanese.body.organization.originalSlug).toMatch(/^[a-z0-9-]+$/);
    expect(none.body.organization.originalSlug).toBe("organization");
  });

  test("twenty made at the same moment with the same name all get a slug of their own", async () => {
    const { api } = await newWorld(server);
    const made = await Promise.all(Array.from({ length: 20 }, () => api.post("/v1/orgs", { name: "Rush" })));
    expect(made.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(made.map(({ body }) => body.organization.slug)).size).toBe(20);
  });

  test("a slug that was asked for and is taken is refused, not replaced", async () => {
    const { api } = await newWorld(server);
    expect((await api.post("/v1/orgs", { name: "One", slug: "one" })).status).toBe(200);
    const second = await api.post("/v1/orgs", { name: "Two", slug: "one" });
    expect(second.status).toBe(409);
    expect(second.body).toMatchObject({ code: "conflict", details: [{ path: "body.slug" }] });
  });

  test("a number that was asked for by name does not carry the others along", async () => {
    const { api } = await newWorld(server);
    for (const slug of ["far-99999999", "far-3", "far-02"]) await api.post("/v1/orgs", { name: "Far", slug });
    const slugs = [];
    for (let i = 0; i < 4; i += 1) {
      slugs.push((await api.post("/v1/orgs", { name: "Far" })).body.organization.originalSlug);
    }
    expect(slugs).toEqual(["far", "far-2", "far-4", "far-5"]);
  });

  test("one that is fetched says how much it holds", async () => {
    const { api, orgSlug } = await newWorld(server);
    const { body } = await api.get(`/v1/org/${hex(orgSlug)}`);
    expect(body.organization.counts).toEqual({ workspaces: 1, documents: 0, numbers: 0 });
  });

  test("a new name leaves the slug alone", async () => {
    const { api, orgSlug } = await newWorld(server);
    const { body } = await api.post(`/v1/org/${hex(orgSlug)}/update`, { name: "Renamed" });
    expect(body.organization).toMatchObject({ name: "Renamed", originalSlug: orgSlug });
    expect(Date.parse(body.organization.updated_at)).toBeGreaterThanOrEqual(
      Date.parse(body.organization.created_at),
    );
  });

  test("deleting one takes its workspaces along, and its slug is free again", async () => {
    const { api, orgSlug, workspaceSlug } = await newWorld(server);
    expect((await api.delete(`/v1/org/${hex(orgSlug)}`)).body).toEqual({ success: true });
    expect((await api.get(`/v1/org/${hex(orgSlug)}`)).status).toBe(404);
    expect((await api.get(`/v1/workspace/${hex(workspaceSlug)}`)).status).toBe(404);
    expect((await api.post("/v1/orgs", { name: "Again", slug: orgSlug })).status).toBe(200);
  });

  test("the partner's list spans accounts, an account's does not", async () => {
    const first = await newWorld(server);
    const second = await newWorld(server, first.partner);
    const all = await client(server.url, first.partner.key).get("/v1/orgs");
    const one = await second.api.get("/v1/orgs");
    expect(all.body.organizations).toHaveLength(2);
    expect(one.body.organizations.map((organization: { id: number }) => organization.id)).toEqual([
      second.organizationId,
    ]);
  });
});

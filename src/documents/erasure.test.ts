import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import {
  documentPath,
  embed,
  found,
  newWorkspace,
  rowsOf,
  storedFiles,
  until,
  uploadText,
} from "../../test/document-support.ts";
import { hex, newWorld, startTestServer, testServer, type World } from "../../test/support.ts";
import { collectOrphans } from "./maintain.ts";

const server = await testServer();
const HOUR_MS = 3_600_000;

async function filled(world: World): Promise<string> {
  const reply = await uploadText(server, world, "a.txt", `The vault of ${world.accountId} is deep.`, {
    addToWorkspaces: world.workspaceSlug,
    external_id: "vault",
  });
  expect(reply.status).toBe(200);
  return reply.body.documents[0].docpath;
}

const nothing = { documents: [], contents: [], segments: [], members: [], folders: [] };

describe("erasure", () => {
  test("of a workspace keeps the organization's documents, and they can be embedded elsewhere", async () => {
    const world = await newWorld(server);
    const docpath = await filled(world);
    const { status } = await world.api.delete(`/v1/workspace/${hex(world.workspaceSlug)}`);
    expect([200, 202]).toContain(status);
    await until(async () => (await rowsOf(server, world)).members.length === 0);
    expect((await rowsOf(server, world)).documents).toHaveLength(1);
    const next = await newWorkspace(world, "Next");
    expect((await embed(world, { adds: [docpath] }, "", next)).status).toBe(200);
    expect(await found(world, "vault", {}, next)).toHaveLength(1);
  });

  test("of an organization leaves no row and no file of it, and its neighbour alone", async () => {
    const world = await newWorld(server);
    await filled(world);
    const neighbour = await newWorld(server, world.partner);
    await filled(neighbour);
    const later = await uploadText(
      server,
      world,
      "later.txt",
      "Being read while it is erased.",
      {},
      "?wait=0",
    );
    expect(later.status).toBe(202);
    expect([200, 202]).toContain((await world.api.delete(`/v1/org/${hex(world.orgSlug)}`)).status);
    expect((await world.api.get(`/v1/org/${hex(world.orgSlug)}/documents`)).status).toBe(404);
    expect((await uploadText(server, world, "b.txt", "Too late.")).status).toBe(404);
    await until(async () => (await storedFiles(server, world)).length === 0);
    expect(await rowsOf(server, world)).toMatchObject({ ...nothing, storageBytes: undefined });
    expect(await found(neighbour, "vault")).toHaveLength(1);
    expect(await storedFiles(server, neighbour)).toHaveLength(3);
  });

  test("of an account leaves no row and no file of any of its organizations", async () => {
    const world = await newWorld(server);
    await filled(world);
    const { organization } = (await world.api.post("/v1/orgs", { name: "Branch" })).body;
    const branch = { ...world, orgSlug: organization.originalSlug, organizationId: organization.id };
    expect((await uploadText(server, branch, "b.txt", "The branch has files, too.")).status).toBe(200);
    const { status } = await world.api.delete(`/v1/accounts/${world.accountId}`, { confirm: "Acme" });
    expect([200, 202]).toContain(status);
    for (const one of [world, branch]) {
      await until(async () => (await storedFiles(server, one)).length === 0);
      expect(await rowsOf(server, one)).toMatchObject(nothing);
    }
  });
});

describe("orphans", () => {
  test("files that no row names are collected after a day, and nothing else is", async () => {
    const own = await startTestServer();
    const world = await newWorld(own);
    const made = await uploadText(own, world, "a.txt", "The bell tolls at dusk.", {
      addToWorkspaces: world.workspaceSlug,
    });
    const kept = await storedFiles(own, world);
    const orphans = ["originals", "parsed", "segments"].map(
      (kind) => `${kind}/${world.organizationId}/${own.app.newId()}`,
    );
    for (const key of orphans) await own.app.files.put(key, Readable.from([Buffer.from("left behind")]));
    await collectOrphans(own.app);
    expect(await storedFiles(own, world)).toEqual([...kept, ...orphans].sort());
    await collectOrphans({ ...own.app, now: () => new Date(Date.now() + 25 * HOUR_MS) });
    expect(await storedFiles(own, world)).toEqual(kept);
    expect(await found(world, "bell")).toHaveLength(1);
    const original = await world.api.get(documentPath(world, `${made.body.documents[0].name}/original`));
    expect(original.body).toBe("The bell tolls at dusk.");
    await own.close();
  }, 90_000);
});

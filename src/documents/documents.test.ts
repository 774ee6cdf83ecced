import { describe, expect, test } from "vitest";
import { uploadText } from "../../test/document-support.ts";
import { type Client, hex, newWorld, testServer, type World } from "../../test/support.ts";

const server = await testServer();

const search = (api: Client, world: World, query: string) =>
  api.post(`/v1/workspace/${hex(world.workspaceSlug)}/vector-search`, { query });

describe("documents", () => {
  test("an uploaded text is read, embedded and found", async () => {
    const world = await newWorld(server);
    const { status, body } = await uploadText(
      server,
      world,
      "delivery.txt",
      "We deliver every parcel within two days.",
      {
        addToWorkspaces: world.workspaceSlug,
      },
    );
    expect(body).toMatchObject({
      success: true,
      documents: [{ status: "ready", workspaces: [world.workspaceSlug] }],
    });
    expect(status).toBe(200);
    const found = await search(world.api, world, "How quickly do you deliver a parcel?");
    expect(found.body.mode).toBe("lexical");
    expect(found.body.results[0]).toMatchObject({ text: "We deliver every parcel within two days." });
    expect((await search(world.api, world, "quantum chromodynamics")).body.results).toEqual([]);
  });

  test("fifty files of one name, sent at once, keep their own contents", async () => {
    const world = await newWorld(server);
    const sent = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        uploadText(server, world, "invoice.txt", `This is invoice number ${i}.`),
      ),
    );
    for (const [i, { status, body }] of sent.entries()) {
      expect(status).toBe(200);
      const original = await world.api.get(
        `/v1/org/${hex(world.orgSlug)}/document/${encodeURIComponent(body.documents[0].name)}/original`,
      );
      expect(original.body).toBe(`This is invoice number ${i}.`);
    }
  });

  test("a removed document is gone from the next search", async () => {
    const world = await newWorld(server);
    const { body } = await uploadText(server, world, "a.txt", "The warranty lasts three years.", {
      addToWorkspaces: world.workspaceSlug,
    });
    expect((await search(world.api, world, "warranty")).body.results).toHaveLength(1);
    const removed = await world.api.delete(`/v1/org/${hex(world.orgSlug)}/document/remove-files`, {
      files: [body.documents[0].docpath],
    });
    expect(removed.status).toBe(200);
    expect((await search(world.api, world, "warranty")).body.results).toEqual([]);
  });
});

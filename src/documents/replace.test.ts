import { describe, expect, test } from "vitest";
import {
  embed,
  found,
  newWorkspace,
  rowsOf,
  storedFiles,
  until,
  uploadText,
} from "../../test/document-support.ts";
import { newWorld, testServer } from "../../test/support.ts";

const server = await testServer();

describe("external_id", () => {
  test("a new version takes the old one's place in every workspace, and nothing of the old is left", async () => {
    const world = await newWorld(server);
    const second = await newWorkspace(world, "Second");
    const first = await uploadText(server, world, "price-2025.txt", "A hammer costs eleven euros.", {
      external_id: "prices",
      metadata: JSON.stringify({ title: "Prices 2025" }),
      addToWorkspaces: `${world.workspaceSlug},${second}`,
    });
    const before = await storedFiles(server, world);
    const next = await uploadText(server, world, "price-2026.txt", "A hammer costs twelve euros.", {
      external_id: "prices",
      metadata: JSON.stringify({ title: "Prices 2026" }),
    });
    expect(next.status).toBe(200);
    expect(next.body.documents[0]).toMatchObject({
      id: first.body.documents[0].id,
      docpath: first.body.documents[0].docpath,
      title: "Prices 2026",
      workspaces: [world.workspaceSlug, second],
    });
    for (const slug of [world.workspaceSlug, second]) {
      expect((await found(world, "hammer", {}, slug)).map(({ text }) => text)).toEqual([
        "A hammer costs twelve euros.",
      ]);
    }
    const after = await storedFiles(server, world);
    expect(after.filter((key) => before.includes(key))).toEqual([]);
    expect(after).toHaveLength(3);
    expect((await rowsOf(server, world)).storageBytes).toBe("A hammer costs twelve euros.".length);
  });

  test("a version that cannot be read leaves the old one as it is, and says so", async () => {
    const world = await newWorld(server);
    await uploadText(server, world, "a.txt", "The old version is served.", {
      external_id: "a",
      metadata: JSON.stringify({ title: "Old title" }),
      addToWorkspaces: world.workspaceSlug,
    });
    const before = await storedFiles(server, world);
    const { status, body } = await uploadText(server, world, "a.pdf", "%PDF-1.7\nbroken", {
      external_id: "a",
      metadata: JSON.stringify({ title: "New title" }),
    });
    expect(status).toBe(207);
    expect(body).toMatchObject({
      success: false,
      error: expect.stringMatching(/./),
      documents: [{ status: "ready", title: "Old title", error: { message: expect.stringMatching(/./) } }],
    });
    expect(await found(world, "old version served")).toHaveLength(1);
    expect(await storedFiles(server, world)).toEqual(before);
    expect((await rowsOf(server, world)).storageBytes).toBe("The old version is served.".length);
    const mended = await uploadText(server, world, "a.txt", "The mended version is served.", {
      external_id: "a",
    });
    expect(mended.body.documents[0]).toMatchObject({ status: "ready", error: null });
  });

  test("a version that is overtaken leaves its workspaces to the one that overtakes it", async () => {
    const world = await newWorld(server);
    const second = await newWorkspace(world, "Second");
    const replies = await Promise.all([
      uploadText(server, world, "o.txt", "The otter swims first.", {
        external_id: "o",
        addToWorkspaces: world.workspaceSlug,
      }),
      uploadText(server, world, "o.txt", "The otter swims second.", {
        external_id: "o",
        addToWorkspaces: second,
      }),
      uploadText(server, world, "o.txt", "The otter swims third.", { external_id: "o" }),
    ]);
    for (const { status } of replies) expect(status).toBe(200);
    const [here, there] = [await found(world, "otter swims"), await found(world, "otter swims", {}, second)];
    expect(here).toHaveLength(1);
    expect(there.map(({ text }) => text)).toEqual(here.map(({ text }) => text));
  });

  test("twenty versions at once end as one document with one content, and searches never see two or none", async () => {
    const world = await newWorld(server);
    const versionOf = (i: number) =>
      uploadText(server, world, "v.txt", `Version ${i} of the handbook.`, {
        external_id: "v",
        addToWorkspaces: world.workspaceSlug,
      });
    await versionOf(0);
    let sending = true;
    const watching = (async () => {
      while (sending) expect(await found(world, "version of the handbook")).toHaveLength(1);
    })();
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => versionOf(i + 1)));
    sending = false;
    await watching;
    for (const { status } of replies) expect(status).toBe(200);
    const { documents, contents, segments } = await until(async () => {
      const rows = await rowsOf(server, world);
      return rows.contents.length === 1 && rows;
    });
    expect(documents).toHaveLength(1);
    expect(segments).toHaveLength(1);
    expect(await storedFiles(server, world)).toHaveLength(3);
    expect(contents[0]?.id).toBe(documents[0]?.content_id);
    const [hit] = await found(world, "version of the handbook");
    await embed(world, {
      adds: [documents[0] === undefined ? "" : `${world.orgSlug}/custom-documents/${documents[0].name}`],
    });
    expect(await found(world, "version of the handbook")).toEqual([hit]);
  });
});

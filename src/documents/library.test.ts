import { describe, expect, test } from "vitest";
import {
  documentPath,
  documentsPath,
  embed,
  found,
  newWorkspace,
  rowsOf,
  storedFiles,
  until,
  uploadText,
} from "../../test/document-support.ts";
import { hex, newWorld, testServer, type World } from "../../test/support.ts";

const server = await testServer();

async function put(
  world: World,
  name: string,
  content: string,
  fields: Record<string, string> = {},
  path = "",
) {
  const { status, body } = await uploadText(server, world, name, content, fields, path);
  expect({ status, message: body.message }).toEqual({ status: 200, message: undefined });
  return body.documents[0];
}

const into = (world: World) => ({ addToWorkspaces: world.workspaceSlug });

test("a file that was uploaded twice is answered from once, and still when one of the two is gone", async () => {
  const world = await newWorld(server);
  const text = "The marmalade is boiled for forty minutes.";
  const first = await put(world, "marmalade.txt", text, into(world));
  const second = await put(world, "marmalade.txt", text, into(world));
  expect(second.docpath).not.toBe(first.docpath);
  const [hit, ...others] = await found(world, "How long is marmalade boiled?");
  expect(others).toEqual([]);
  const gone = await world.api.delete(documentPath(world, "remove-files"), { files: [hit?.docpath] });
  expect(gone.status).toBe(200);
  const left = [first, second].map(({ docpath }) => docpath).filter((one) => one !== hit?.docpath);
  expect((await found(world, "How long is marmalade boiled?")).map(({ docpath }) => docpath)).toEqual(left);
});

describe("lists", () => {
  test("documents are listed by folder, newest first, over pages", async () => {
    const world = await newWorld(server);
    // Rows of their own: uploading them one by one would take as long as all other tests together.
    const ids = Array.from({ length: 250 }, () => server.app.newId());
    await server.app.db.asSystem("jobs", async (tx) => {
      const owner = {
        partner_id: world.partner.id,
        account_id: world.accountId,
        organization_id: world.organizationId,
      };
      await tx
        .insertInto("folders")
        .values(["custom-documents", "archive"].map((name) => ({ ...owner, name })))
        .execute();
      await tx
        .insertInto("documents")
        .values(
          ids.map((id, i) => ({
            ...owner,
            id,
            folder: i % 2 === 0 ? "custom-documents" : "archive",
            name: `row-${i}-${id}.json`,
            external_id: null,
            file_name: `row-${i}.txt`,
            title: `Row ${i}`,
            metadata: "{}",
            status: "failed" as const,
          })),
        )
        .execute();
    });
    const seen: string[] = [];
    let pages = 0;
    for (let cursor: string | null = ""; cursor !== null; pages += 1) {
      const { body } = await world.api.get(
        documentsPath(world, `?limit=60${cursor === "" ? "" : `&cursor=${cursor}`}`),
      );
      expect(body.localFiles.items.map(({ name }: { name: string }) => name)).toEqual([
        "custom-documents",
        "archive",
      ]);
      for (const folder of body.localFiles.items) for (const { id } of folder.items) seen.push(id);
      cursor = body.next_cursor;
    }
    expect(pages).toBe(5);
    expect([...seen].sort()).toEqual([...ids].sort());
    const one = await world.api.get(documentsPath(world, "/folder/archive?limit=500"));
    expect(one.body).toMatchObject({ folder: "archive", next_cursor: null });
    const inArchive = one.body.documents.map(({ id }: { id: string }) => id);
    expect(inArchive).toEqual(ids.filter((_, i) => i % 2 === 1).reverse());
    expect((await world.api.get(documentsPath(world, "?limit=501"))).status).toBe(400);
    expect((await world.api.get(documentsPath(world, "?cursor=nonsense"))).status).toBe(400);
    expect((await world.api.get(documentsPath(world, "/folder/nowhere"))).status).toBe(404);
  });

  test("a filter takes % and _ as they are", async () => {
    const world = await newWorld(server);
    for (const title of ["100% wool", "100 wool", "a_b", "axb", "back\\slash"]) {
      const reply = await world.api.post(documentPath(world, "raw-text"), {
        textContent: `About ${title}.`,
        metadata: { title },
      });
      expect(reply.status).toBe(200);
    }
    const titles = async (query: string) => {
      const { body } = await world.api.get(documentsPath(world, query));
      return body.localFiles.items.flatMap((folder: { items: { title: string }[] }) =>
        folder.items.map(({ title }) => title),
      );
    };
    expect(await titles(`?q=${encodeURIComponent("0% W")}`)).toEqual(["100% wool"]);
    expect(await titles("?q=a_b")).toEqual(["a_b"]);
    expect(await titles(`?q=${encodeURIComponent("\\")}`)).toEqual(["back\\slash"]);
    expect(await titles("?status=ready&q=wool")).toEqual(["100 wool", "100% wool"]);
    expect(await titles("?status=failed")).toEqual([]);
    expect(await titles("?folder=custom-documents&q=axb")).toEqual(["axb"]);
    expect((await world.api.get(documentsPath(world, "?status=lost"))).status).toBe(400);
    expect((await world.api.get(documentsPath(world, "?colour=blue"))).status).toBe(400);
  });

  test("a document is fetched by its name, with every field of the contract", async () => {
    const world = await newWorld(server);
    const made = await put(world, "a.txt", "Seven words are written in this file.");
    const { body } = await world.api.get(documentPath(world, encodeURIComponent(made.name)));
    expect(body.document).toEqual(made);
    expect(body.document).toMatchObject({
      docpath: `${world.orgSlug}/custom-documents/${made.name}`,
      location: made.docpath,
      type: "text/plain",
      bytes: 37,
      language: "en",
      wordCount: 7,
      status: "ready",
      error: null,
      workspaces: [],
    });
    for (const name of ["unknown.json", "..%2Fa", "a%00b", "a%5Cb"]) {
      const { status } = await world.api.get(documentPath(world, name));
      expect(status).toBe(name === "unknown.json" ? 404 : 400);
    }
    expect((await world.api.get(documentPath(world, "unknown.json/original"))).status).toBe(404);
  });
});

describe("folders", () => {
  test("a folder is made once", async () => {
    const world = await newWorld(server);
    const create = (name: string) => world.api.post(documentPath(world, "create-folder"), { name });
    expect(await create("Preise 2026")).toMatchObject({
      status: 200,
      body: { success: true, message: null },
    });
    expect(await create("Preise 2026")).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect((await create("custom-documents")).status).toBe(409);
    for (const name of ["", ".", "..", "a/b", "a\\b", "a\nb", "a\u0000b", "x".repeat(256)]) {
      expect({ name, status: (await create(name)).status }).toEqual({ name, status: 400 });
    }
    const empty = await world.api.get(documentsPath(world, `/folder/${encodeURIComponent("Preise 2026")}`));
    expect(empty.body).toEqual({ folder: "Preise 2026", documents: [], next_cursor: null });
  });

  test("a removed folder takes its documents out of every search", async () => {
    const world = await newWorld(server);
    const remove = (name: string) => world.api.delete(documentPath(world, "remove-folder"), { name });
    await put(world, "stays.txt", "The walnut tree stays.", into(world));
    await put(world, "goes.txt", "The walnut cake goes.", into(world), "/cakes");
    expect(await found(world, "walnut")).toHaveLength(2);
    expect(await remove("cakes")).toMatchObject({ status: 200, body: { success: true } });
    expect((await found(world, "walnut")).map(({ text }) => text)).toEqual(["The walnut tree stays."]);
    expect((await remove("cakes")).status).toBe(404);
    expect((await remove("custom-documents")).status).toBe(400);
    expect((await rowsOf(server, world)).documents).toHaveLength(1);
    expect(await storedFiles(server, world)).toHaveLength(3);
  });
});

describe("moves", () => {
  test("a moved document keeps its workspaces, and the next search names the new place", async () => {
    const world = await newWorld(server);
    const made = await put(world, "a.txt", "The lighthouse is white.", into(world));
    const to = made.docpath.replace("custom-documents", "archive");
    const move = (files: { from: string; to: string }[]) =>
      world.api.post(documentPath(world, "move-files"), { files });
    expect(await move([{ from: made.docpath, to }])).toMatchObject({
      status: 200,
      body: { success: true, message: null },
    });
    expect((await found(world, "lighthouse")).map(({ docpath }) => docpath)).toEqual([to]);
    expect(await found(world, "lighthouse", { filter: { folders: ["custom-documents"] } })).toEqual([]);
    expect(await found(world, "lighthouse", { filter: { folders: ["archive"] } })).toHaveLength(1);
    const other = await put(world, "b.txt", "Another one.");
    const mixed = await move([
      { from: to, to: made.docpath },
      { from: `${world.orgSlug}/archive/unknown.json`, to: `${world.orgSlug}/other/unknown.json` },
      { from: other.docpath, to: other.docpath },
      { from: other.docpath, to: made.docpath },
      { from: other.docpath, to: `${world.orgSlug}/archive/renamed.json` },
    ]);
    expect(mixed.status).toBe(207);
    expect(mixed.body.results.map(({ status }: { status: number }) => status)).toEqual([
      200, 404, 409, 409, 400,
    ]);
    expect(mixed.body).toMatchObject({ success: false, message: "4 of 5 files were not moved." });
    for (const docpath of [
      "elsewhere/archive/a.json",
      `${world.orgSlug}/a/../b`,
      `${world.orgSlug}/a`,
      `${world.orgSlug}/a\\b/c`,
      "",
    ]) {
      const reply = await move([
        { from: made.docpath, to },
        { from: other.docpath, to: docpath },
      ]);
      expect(reply.status).toBe(400);
    }
    expect((await found(world, "lighthouse")).map(({ docpath }) => docpath)).toEqual([made.docpath]);
  });

  test("moves, embeddings and removals of the same documents at once all get an answer", async () => {
    const world = await newWorld(server);
    const second = await newWorkspace(world, "Second");
    const made = await Promise.all(
      Array.from({ length: 6 }, (_, i) => put(world, `${i}.txt`, `Number ${i}.`, into(world))),
    );
    const paths = made.map(({ docpath }) => docpath);
    const there = (path: string) => path.replace("custom-documents", "there");
    for (let round = 0; round < 3; round += 1) {
      const replies = await Promise.all([
        world.api.post(documentPath(world, "move-files"), {
          files: paths.map((from) => ({ from, to: there(from) })),
        }),
        world.api.post(documentPath(world, "move-files"), {
          files: [...paths].reverse().map((from) => ({ from: there(from), to: from })),
        }),
        embed(world, { adds: paths, deletes: [...paths, ...paths.map(there)] }),
        embed(world, { adds: [...paths].reverse(), deletes: paths.map(there) }, "", second),
        world.api.delete(documentPath(world, "remove-files"), {
          files: [there(paths[round] ?? ""), paths[round] ?? ""],
        }),
      ]);
      for (const { status } of replies) expect([200, 207]).toContain(status);
    }
  });
});

describe("removals", () => {
  test("what is removed is gone, what was not there is named", async () => {
    const world = await newWorld(server);
    const made = await put(world, "a.txt", "The ferry leaves at noon.", into(world));
    const remove = (files: string[]) => world.api.delete(documentPath(world, "remove-files"), { files });
    const reply = await remove([made.docpath, `${world.orgSlug}/custom-documents/unknown.json`]);
    expect(reply.status).toBe(207);
    expect(reply.body.results).toEqual([
      { docpath: made.docpath, status: 200, message: null },
      expect.objectContaining({ status: 404 }),
    ]);
    expect(await found(world, "ferry")).toEqual([]);
    expect(await storedFiles(server, world)).toEqual([]);
    expect((await world.api.get(documentPath(world, `${made.name}/original`))).status).toBe(404);
    expect((await remove([])).status).toBe(400);
    expect((await remove(["elsewhere/custom-documents/a.json"])).status).toBe(400);
  });
});

describe("update-embeddings", () => {
  test("deletes come first, the same document twice is one embedding, failures are named", async () => {
    const world = await newWorld(server);
    const second = await newWorkspace(world, "Second");
    const made = await put(world, "a.txt", "The castle was built in 1204.");
    const unknown = `${world.orgSlug}/custom-documents/unknown.json`;
    const added = await embed(world, { adds: [made.docpath, made.docpath] });
    expect(added.status).toBe(200);
    expect(added.body).toMatchObject({
      success: true,
      workspace: { originalSlug: world.workspaceSlug },
      results: [{ docpath: made.docpath, status: "embedded", chunks: 1, tokens: expect.any(Number) }],
    });
    expect(added.body.results).toHaveLength(1);
    expect(await found(world, "castle")).toHaveLength(1);
    expect(await found(world, "castle", {}, second)).toEqual([]);
    const again = await embed(world, { deletes: [made.docpath], adds: [made.docpath] });
    expect(again.body.results.map(({ status }: { status: string }) => status)).toEqual([
      "removed",
      "embedded",
    ]);
    const mixed = await embed(world, { adds: [unknown], deletes: [made.docpath, unknown] });
    expect(mixed.status).toBe(207);
    expect(mixed.body).toMatchObject({
      success: false,
      results: [{ status: "removed" }, { status: 404, docpath: unknown }, { status: 404, docpath: unknown }],
    });
    expect(await found(world, "castle")).toEqual([]);
    expect((await embed(world, {})).status).toBe(200);
    for (const body of [
      { adds: ["elsewhere/custom-documents/a.json"] },
      { deletes: ["x"] },
      { adds: "x" },
      { add: [] },
    ]) {
      expect(
        (await world.api.post(`/v1/workspace/${hex(world.workspaceSlug)}/update-embeddings`, body)).status,
      ).toBe(400);
    }
  });

  test("a document of another organization refuses everything before anything is done", async () => {
    const world = await newWorld(server);
    const made = await put(world, "a.txt", "It stays embedded.", into(world));
    const neighbour = (await world.api.post("/v1/orgs", { name: "Neighbour" })).body.organization;
    const theirs = await put({ ...world, orgSlug: neighbour.originalSlug }, "b.txt", "It is theirs.");
    const reply = await embed(world, { deletes: [made.docpath], adds: [theirs.docpath] });
    expect(reply).toMatchObject({ status: 400, body: { code: "invalid_request" } });
    expect(await found(world, "stays embedded")).toHaveLength(1);
  });

  test("with wait=0 the answer is 202 and the job finishes", async () => {
    const world = await newWorld(server);
    const made = await put(world, "a.txt", "The mill grinds slowly.");
    const { status, body } = await embed(world, { adds: [made.docpath] }, "?wait=0");
    expect(status).toBe(202);
    expect(body).toMatchObject({
      success: true,
      job_id: expect.any(String),
      results: [{ docpath: made.docpath, status: "embedding" }],
    });
    await until(async () => (await world.api.get(`/v1/jobs/${body.job_id}`)).body.job.status === "succeeded");
    expect(await found(world, "mill")).toHaveLength(1);
  });

  test("a document that turns out to be unreadable is said to be so", async () => {
    const world = await newWorld(server);
    const { body } = await uploadText(server, world, "b.pdf", "%PDF-1.7\nbroken", {}, "?wait=0");
    const reply = await embed(world, { adds: [body.documents[0].docpath] });
    expect(reply).toMatchObject({ status: 207, body: { success: false, results: [{ status: 422 }] } });
    const later = await embed(world, { adds: [body.documents[0].docpath] });
    expect(later).toMatchObject({ status: 207, body: { results: [{ status: 422 }] } });
    const { status, body: listed } = await world.api.get(documentsPath(world, "?status=failed"));
    expect(status).toBe(200);
    expect(listed.localFiles.items[0].items[0].error.message).toMatch(/./);
  });

  test("a document that is taken out while it is being read stays out", async () => {
    const world = await newWorld(server);
    const { body } = await uploadText(server, world, "a.txt", "The owl hoots.", into(world), "?wait=0");
    const reply = await embed(world, { deletes: [body.documents[0].docpath] });
    expect(reply).toMatchObject({ status: 200, body: { results: [{ status: "removed" }] } });
    await server.app.queue.wait(body.job_id, 20_000);
    expect(await found(world, "owl")).toEqual([]);
  });

  test("a workspace shows its documents and what they hold", async () => {
    const world = await newWorld(server);
    const made = await put(world, "a.txt", "One.", into(world));
    await put(world, "b.txt", "Not in it.");
    const { body } = await world.api.get(`/v1/workspace/${hex(world.workspaceSlug)}`);
    expect(body.workspace.documents).toEqual([
      { docpath: made.docpath, title: "a.txt", status: "embedded", chunks: 1, tokens: expect.any(Number) },
    ]);
    expect(body.workspace.totals).toMatchObject({ documents: 1, chunks: 1, threads: 0 });
  });
});

describe("tenants", () => {
  test("another tenant's documents are 404 or 400 everywhere, and stay as they are", async () => {
    const owner = await newWorld(server);
    const made = await put(owner, "secret.txt", "The recipe is secret.", into(owner));
    for (const stranger of [await newWorld(server), await newWorld(server, owner.partner)]) {
      expect(stranger.orgSlug).toBe(owner.orgSlug);
      const { api } = stranger;
      const to = made.docpath.replace("custom-documents", "stolen");
      expect((await api.get(documentPath(stranger, made.name))).status).toBe(404);
      expect((await api.get(documentPath(stranger, `${made.name}/original`))).status).toBe(404);
      const moved = await api.post(documentPath(stranger, "move-files"), {
        files: [{ from: made.docpath, to }],
      });
      expect(moved.body.results).toMatchObject([{ status: 404 }]);
      const removed = await api.delete(documentPath(stranger, "remove-files"), { files: [made.docpath] });
      expect(removed.body.results).toMatchObject([{ status: 404 }]);
      expect((await embed(stranger, { adds: [made.docpath] })).body.results).toMatchObject([{ status: 404 }]);
      expect(await found(stranger, "secret recipe", { scoreThreshold: 0 })).toEqual([]);
      const listed = await api.get(documentsPath(stranger));
      expect(listed.body.localFiles.items[0].items).toEqual([]);
    }
    expect(await found(owner, "secret recipe")).toHaveLength(1);
  });
});

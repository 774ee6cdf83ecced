import { describe, expect, test } from "vitest";
import {
  documentPath,
  documentsPath,
  formOf,
  found,
  rowsOf,
  sendForm,
  stagedFiles,
  storedFiles,
  until,
  uploadText,
} from "../../test/document-support.ts";
import { makeDocx, makePptx, makeXlsx } from "../../test/files/office-files.ts";
import { makePdf } from "../../test/files/pdf-writer.ts";
import { client, newWorld, send, startTestServer, testServer } from "../../test/support.ts";

const server = await testServer();
const bytes = (buffer: Buffer) => new Uint8Array(buffer);

describe("what an upload may be", () => {
  test("fields may come before the file or behind it", async () => {
    const world = await newWorld(server);
    for (const order of ["before", "behind"]) {
      const form = new FormData();
      const file = new Blob([`The form had its fields ${order} the file.`]);
      if (order === "behind") form.append("file", file, "form.txt");
      form.append("metadata", JSON.stringify({ title: `Fields ${order}`, docAuthor: "Ada" }));
      form.append("addToWorkspaces", ` ${world.workspaceSlug} , ${world.workspaceSlug}`);
      if (order === "before") form.append("file", file, "form.txt");
      const { status, body } = await sendForm(server, world, form);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        success: true,
        error: null,
        documents: [{ title: `Fields ${order}`, docAuthor: "Ada", workspaces: [world.workspaceSlug] }],
        results: [{ workspace: world.workspaceSlug, status: "embedded", chunks: 1 }],
      });
    }
  });

  test("a form that is not one file and known fields is refused, and nothing is stored", async () => {
    const world = await newWorld(server);
    const other = await newWorld(server, world.partner);
    const neighbour = (await world.api.post("/v1/orgs", { name: "Neighbour" })).body.organization;
    const foreign = (await world.api.post(`/v1/org/${neighbour.slug}/workspaces`, { name: "Theirs" })).body;
    const file = () => formOf({ name: "a.txt", content: "text" });
    const withField = (name: string, value: string) => {
      const form = file();
      form.append(name, value);
      return form;
    };
    const twoFiles = file();
    twoFiles.append("file", new Blob(["more"]), "b.txt");
    const otherName = new FormData();
    otherName.append("document", new Blob(["text"]), "a.txt");
    const noFile = new FormData();
    noFile.append("metadata", "{}");
    const fieldTwice = withField("external_id", "1");
    fieldTwice.append("external_id", "2");
    const cases: [FormData, string][] = [
      [twoFiles, "body.file"],
      [otherName, "body.document"],
      [noFile, "body.file"],
      [fieldTwice, "body.external_id"],
      [withField("colour", "blue"), "body.colour"],
      [withField("toString", "x"), "body"],
      [withField("metadata", "{not json"), "body.metadata"],
      [withField("metadata", '{"colour":"blue"}'), "body.metadata.colour"],
      [withField("metadata", '["title"]'), "body.metadata"],
      [withField("metadata", '{"title":"a\\u0000b"}'), "body.metadata.title"],
      [withField("metadata", '{"docAuthor":"\\ud800"}'), "body.metadata.docAuthor"],
      [withField("external_id", ""), "body.external_id"],
      [withField("addToWorkspaces", "no-such-workspace"), "body.addToWorkspaces"],
      [
        withField("addToWorkspaces", `${world.workspaceSlug},${foreign.workspace.originalSlug}`),
        "body.addToWorkspaces",
      ],
      [withField("addToWorkspaces", "x".repeat(6_000)), "body.addToWorkspaces"],
    ];
    for (const [form, path] of cases) {
      const { status, body } = await sendForm(server, world, form);
      expect({ status, code: body.code, path: body.details?.[0]?.path }).toEqual({
        status: 400,
        code: "invalid_request",
        path,
      });
    }
    expect(other.workspaceSlug).toBe(world.workspaceSlug);
    const { documents, contents, folders, storageBytes } = await rowsOf(server, world);
    expect({ documents, contents, folders, storageBytes }).toEqual({
      documents: [],
      contents: [],
      folders: [],
      storageBytes: 0,
    });
    expect(await storedFiles(server, world)).toEqual([]);
  });

  test("a body that is no form is 415, a broken form 400", async () => {
    const world = await newWorld(server);
    expect(await world.api.post(documentPath(world, "upload"), { file: "text" })).toMatchObject({
      status: 415,
    });
    const headers = {
      authorization: `Bearer ${world.partner.key}`,
      "x-account-id": world.accountId,
      "content-type": "multipart/form-data; boundary=cut",
    };
    const cut = '--cut\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf of it';
    const path = documentPath(world, "upload");
    expect((await send(server.url, "POST", path, headers, new TextEncoder().encode(cut))).status).toBe(400);
    const none = { ...headers, "content-type": "multipart/form-data" };
    expect((await send(server.url, "POST", path, none, new TextEncoder().encode(cut))).status).toBe(400);
    expect((await send(server.url, "POST", path, headers, new TextEncoder().encode(""))).status).toBe(400);
  });

  test("every format that can be read is read and found", async () => {
    const world = await newWorld(server);
    const files: [string, string | Uint8Array<ArrayBuffer>, string, string][] = [
      ["leave.docx", bytes(makeDocx()), "paid leave", "document"],
      ["book.xlsx", bytes(makeXlsx()), "", "sheet"],
      ["slides.pptx", bytes(makePptx()), "", "presentation"],
      [
        "page.html",
        "<html><title>Opening</title><body><p>The bakery opens at seven o'clock.</p></body>",
        "bakery opens",
        "html",
      ],
      ["notes.md", "# Parking\n\nVisitors park behind the library.", "Where do visitors park?", "markdown"],
      ["prices.csv", "article,price\nhammer,12.50\n", "hammer", "csv"],
      ["data.json", '{"capital":"Lisbon"}', "Lisbon", "json"],
      [
        "mail.eml",
        "From: a@example.com\r\nSubject: Invoice\r\n\r\nThe invoice is overdue.\r\n",
        "overdue invoice",
        "rfc822",
      ],
    ];
    for (const [name, content, query, type] of files) {
      const { status, body } = await uploadText(server, world, name, content, {
        addToWorkspaces: world.workspaceSlug,
      });
      expect({ name, status }).toEqual({ name, status: 200 });
      expect(body.documents[0]).toMatchObject({ status: "ready", type: expect.stringContaining(type) });
      if (query === "") continue;
      const [first] = await found(world, query, { scoreThreshold: 0 });
      expect({ name, docpath: first?.docpath }).toEqual({ name, docpath: body.documents[0].docpath });
    }
  });

  test("a PDF's passages name their page", async () => {
    const world = await newWorld(server);
    const pdf = makePdf({
      pages: [
        { lines: ["The first page is about apples."] },
        { lines: ["The second page is about walnuts."] },
      ],
    });
    const { body } = await uploadText(server, world, "fruit.pdf", bytes(pdf), {
      addToWorkspaces: world.workspaceSlug,
    });
    expect(body.documents[0]).toMatchObject({ pages: 2, type: "application/pdf" });
    const answer = await world.api.post(
      `/v1/workspace/${Buffer.from(world.workspaceSlug).toString("hex")}/vector-search`,
      {
        query: "walnuts",
      },
    );
    expect(answer.body.results[0]?.metadata.page).toBeOneOf([1, 2]);
  });

  test("what cannot be read is refused with its reason, and leaves nothing", async () => {
    const world = await newWorld(server);
    const refused: [string, string, number][] = [
      ["a.pdf", "this is no PDF at all", 415],
      ["program.exe", "MZ", 415],
      ["letter.doc", "an old letter", 415],
      ["speech.mp3", "ID3\u0004\u0000\u0000\u0000\u0000\u0000\u0000 music", 415],
      ["b.pdf", "%PDF-1.7\nnothing that could be read follows", 422],
      ["c.txt", "  \n ", 422],
      ["d.txt", "", 422],
      ["e.json", "{broken", 422],
    ];
    for (const [name, content, status] of refused) {
      const reply = await uploadText(server, world, name, content, { addToWorkspaces: world.workspaceSlug });
      if (name === "e.json" && reply.status === 200) continue;
      expect({ name, status: reply.status, message: reply.body.message }).toMatchObject({
        name,
        status,
        message: expect.stringMatching(/./),
      });
    }
    const speech = await uploadText(
      server,
      world,
      "speech.mp3",
      "ID3\u0004\u0000\u0000\u0000\u0000\u0000\u0000",
    );
    expect(speech.body.message).toMatch(/transcription/);
    const { documents, contents, segments, storageBytes } = await rowsOf(server, world);
    for (const row of documents) expect(row.file_name).toBe("e.json");
    expect(segments.length).toBe(documents.length);
    expect(contents.length).toBe(documents.length);
    if (documents.length === 0) expect(storageBytes).toBe(0);
    expect(await until(async () => (await stagedFiles(server)).length === 0)).toBe(true);
  });

  test("names with path characters are only names", async () => {
    const world = await newWorld(server);
    for (const name of [
      "../../etc/passwd.txt",
      "..\\..\\boot.txt",
      "a/b/c.txt",
      "....txt",
      "quo\"te's.txt",
      "Ünïcödé 価格.txt",
    ]) {
      const { status, body } = await uploadText(server, world, name, `The file was called ${name}.`);
      expect(status).toBe(200);
      expect(body.documents[0].docpath).toMatch(/^[a-z0-9-]+\/custom-documents\/[a-z0-9][a-z0-9.-]*\.json$/);
      const original = await world.api.get(documentPath(world, `${body.documents[0].name}/original`));
      expect(original.body).toBe(`The file was called ${name}.`);
      expect(original.headers.get("content-disposition")).toMatch(
        /^attachment; filename="[^"/\\]*"; filename\*=UTF-8''[^/\\]*$/,
      );
      expect(original.headers.get("x-content-type-options")).toBe("nosniff");
      expect(original.headers.get("content-security-policy")).toMatch(/sandbox/);
    }
    const form = (disposition: string) =>
      new TextEncoder().encode(
        `--cut\r\ncontent-disposition: form-data; name="file"; ${disposition}\r\ncontent-type: text/plain\r\n\r\ntext\r\n--cut--\r\n`,
      );
    for (const disposition of [
      "filename*=UTF-8''a%00b%0A.txt",
      'filename="a\u0001b.txt"',
      `filename="${"😀".repeat(200)}.txt"`,
    ]) {
      const { status, body } = await sendForm(server, world, form(disposition), {
        headers: { "content-type": "multipart/form-data; boundary=cut" },
      });
      expect([200, 400]).toContain(status);
      if (status === 200) expect(body.documents[0].title).not.toMatch(/\p{Cc}/u);
    }
    for (const key of await storedFiles(server, world)) expect(key).toMatch(/^[a-z]+\/\d+\/[0-9a-f-]{36}$/);
  });

  test("a file over MAX_UPLOAD_MB is 413, at once and without a trace", async () => {
    const small = await startTestServer({ MAX_UPLOAD_MB: "1" });
    const world = await newWorld(small);
    const over = "x".repeat(1024 * 1024 + 1);
    const form = await uploadText(small, world, "big.txt", over);
    expect(form).toMatchObject({ status: 413, body: { code: "payload_too_large" } });
    expect(form.body.message).toContain("1 MB");
    const exact = "All is well. ".repeat(81_000).slice(0, 1024 * 1024);
    expect((await uploadText(small, world, "fits.txt", exact)).status).not.toBe(413);
    const raw = await world.api.post(documentPath(world, "raw-text"), {
      textContent: over,
      metadata: { title: "Big" },
    });
    expect(raw.status).toBe(413);
    expect((await stagedFiles(small)).length).toBe(0);
    expect((await rowsOf(small, world)).documents.every(({ file_name }) => file_name === "fits.txt")).toBe(
      true,
    );
    await small.close();
  }, 90_000);
});

describe("what an upload costs", () => {
  test("the same bytes twice are one original, read once, and counted once until the last document goes", async () => {
    const world = await newWorld(server);
    const text = "Identical bytes are stored a single time.";
    const first = await uploadText(server, world, "one.txt", text, { addToWorkspaces: world.workspaceSlug });
    expect((await rowsOf(server, world)).storageBytes).toBe(text.length);
    const second = await uploadText(server, world, "two.txt", text);
    const { contents, documents, storageBytes } = await rowsOf(server, world);
    expect({ contents: contents.length, documents: documents.length, storageBytes }).toEqual({
      contents: 1,
      documents: 2,
      storageBytes: text.length,
    });
    const files = await storedFiles(server, world);
    expect(files.filter((key) => key.startsWith("originals/"))).toHaveLength(1);
    expect(files.filter((key) => key.startsWith("parsed/"))).toHaveLength(1);
    const remove = (reply: typeof first) =>
      world.api.delete(documentPath(world, "remove-files"), { files: [reply.body.documents[0].docpath] });
    await remove(first);
    expect(await found(world, "identical bytes")).toEqual([]);
    expect((await rowsOf(server, world)).storageBytes).toBe(text.length);
    const original = await world.api.get(documentPath(world, `${second.body.documents[0].name}/original`));
    expect(original.body).toBe(text);
    await remove(second);
    expect((await rowsOf(server, world)).storageBytes).toBe(0);
    expect(await storedFiles(server, world)).toEqual([]);
  });

  test("uploading and removing the same bytes at once neither fails nor leaves anything", async () => {
    const world = await newWorld(server);
    const one = async (i: number) => {
      const { status, body } = await uploadText(server, world, `${i}.txt`, "Everybody sends this.", {
        addToWorkspaces: world.workspaceSlug,
      });
      expect(status).toBe(200);
      const removed = await world.api.delete(documentPath(world, "remove-files"), {
        files: [body.documents[0].docpath],
      });
      expect(removed.status).toBe(200);
    };
    await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        await one(i);
        await one(i);
      }),
    );
    const { documents, contents, segments, storageBytes } = await rowsOf(server, world);
    expect({ documents, contents, segments, storageBytes }).toEqual({
      documents: [],
      contents: [],
      segments: [],
      storageBytes: 0,
    });
    expect(await storedFiles(server, world)).toEqual([]);
  });

  test("an idempotency key covers the file, its name and the fields", async () => {
    const world = await newWorld(server);
    const headers = { "idempotency-key": "upload-1" };
    const sendIt = (name: string, content: string, fields = {}) =>
      sendForm(server, world, formOf({ name, content }, fields), { headers });
    const first = await sendIt("a.txt", "The first file.");
    const again = await sendIt("a.txt", "The first file.");
    expect(again).toMatchObject({ status: 200, body: first.body });
    for (const other of [
      await sendIt("a.txt", "Another file."),
      await sendIt("b.txt", "The first file."),
      await sendIt("a.txt", "The first file.", { external_id: "x" }),
    ]) {
      expect(other).toMatchObject({ status: 409, body: { code: "idempotency_conflict" } });
    }
    expect((await rowsOf(server, world)).documents).toHaveLength(1);
  });

  test("a repetition of an upload that could not be read hears the same reason", async () => {
    const world = await newWorld(server);
    const headers = { "idempotency-key": "broken-1" };
    const broken = () =>
      sendForm(server, world, formOf({ name: "b.pdf", content: "%PDF-1.7\nnothing that could be read" }), {
        headers,
      });
    const first = await broken();
    const again = await broken();
    expect(first.status).toBe(422);
    expect(again).toMatchObject({
      status: 422,
      body: { message: first.body.message, code: "unprocessable" },
    });
  });

  test("with wait=0 the answer is 202, and the job says when it is done", async () => {
    const world = await newWorld(server);
    const reply = await sendForm(
      server,
      world,
      formOf(
        { name: "later.txt", content: "Patience is rewarded." },
        { addToWorkspaces: world.workspaceSlug },
      ),
      { path: "?wait=0" },
    );
    expect(reply).toMatchObject({
      status: 202,
      body: { success: true, documents: [{ status: "processing" }] },
    });
    const job = await until(async () => {
      const { body } = await world.api.get(`/v1/jobs/${reply.body.job_id}`);
      return body.job.status === "succeeded" && body.job;
    });
    expect(job).toMatchObject({ kind: "ingest", result: { chunks: 1 }, error: null });
    const events = await world.api.get(`/v1/jobs/${reply.body.job_id}/events`);
    expect(events.headers.get("content-type")).toMatch(/^text\/event-stream/);
    expect(events.body).toMatch(/^data: \{.*"status":"succeeded"/m);
    expect(await found(world, "patience")).toHaveLength(1);
    const stranger = await newWorld(server);
    expect((await stranger.api.get(`/v1/jobs/${reply.body.job_id}`)).status).toBe(404);
    for (const wait of ["121", "-1", "soon"]) {
      expect(
        (await sendForm(server, world, formOf({ name: "a.txt", content: "a" }), { path: `?wait=${wait}` }))
          .status,
      ).toBe(400);
    }
  });
});

describe("where an upload goes", () => {
  test("a folder is made if it is missing, and its name cannot lead elsewhere", async () => {
    const world = await newWorld(server);
    const { status, body } = await uploadText(
      server,
      world,
      "a.txt",
      "In a folder.",
      {},
      "/price%20lists%202026",
    );
    expect(status).toBe(200);
    expect(body.documents[0].docpath).toMatch(/^[a-z0-9-]+\/price lists 2026\/a\.txt-/);
    for (const folder of [
      "a%2Fb",
      "..%2F..",
      "%2E%2E",
      "a%5Cb",
      "a%00b",
      "a%1Fb",
      "a%7Fb",
      "é".repeat(128),
    ]) {
      const reply = await uploadText(server, world, "a.txt", "In a folder.", {}, `/${folder}`);
      // The client itself takes `..` out of the path: what is left is the upload without a folder, or no route.
      const acceptable = folder === "%2E%2E" ? [400, 404, 405] : [400];
      expect({ folder, status: acceptable.includes(reply.status) }).toEqual({ folder, status: true });
    }
    expect((await rowsOf(server, world)).folders.map(({ name }) => name)).toEqual(["price lists 2026"]);
  });

  test("a text without a file, with its title", async () => {
    const world = await newWorld(server);
    const reply = await world.api.post(documentPath(world, "raw-text"), {
      textContent: "The office is closed on Sundays.",
      metadata: { title: "Opening/hours", url: "https://example.com/hours" },
      addToWorkspaces: world.workspaceSlug,
    });
    expect(reply).toMatchObject({
      status: 200,
      body: { documents: [{ title: "Opening/hours", url: "https://example.com/hours", status: "ready" }] },
    });
    expect(await found(world, "closed on Sunday")).toHaveLength(1);
    for (const body of [
      { textContent: "", metadata: { title: "Empty" } },
      { textContent: "No title.", metadata: {} },
      { textContent: "No metadata." },
      { textContent: "x", metadata: { title: "x", colour: "blue" } },
      { textContent: "x", metadata: { title: "x" }, folder: "x" },
      { textContent: "x", metadata: { title: "x" }, addToWorkspaces: "nobody" },
    ]) {
      expect((await world.api.post(documentPath(world, "raw-text"), body)).status).toBe(400);
    }
    const blank = await world.api.post(documentPath(world, "raw-text"), {
      textContent: " \n ",
      metadata: { title: "Blank" },
    });
    expect(blank.status).toBe(422);
  });

  test("an organization that does not exist, or is another account's, is 404", async () => {
    const world = await newWorld(server);
    const other = await newWorld(server, world.partner);
    const mine = (await world.api.post("/v1/orgs", { name: "Only mine" })).body.organization;
    const theirs = { ...other, orgSlug: mine.originalSlug };
    expect((await uploadText(server, theirs, "a.txt", "text")).status).toBe(404);
    expect((await uploadText(server, { ...world, orgSlug: "nowhere" }, "a.txt", "text")).status).toBe(404);
    expect((await client(server.url, world.partner.key).get(documentsPath(world))).status).toBe(400);
  });

  test("the accepted types are published", async () => {
    const world = await newWorld(server);
    const { status, body } = await world.api.get("/v1/document/accepted-file-types");
    expect(status).toBe(200);
    expect(JSON.stringify(body)).toContain('"application/pdf":[".pdf"]');
  });
});

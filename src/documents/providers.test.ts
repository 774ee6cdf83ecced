import { createServer } from "node:http";
import { afterAll, describe, expect, test } from "vitest";
import { startS3Server } from "../../test/conformance/file-stores.ts";
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
import { simulatorKey, startOpenaiSimulator } from "../../test/simulators/openai/openai-simulator.ts";
import { startRerankSimulator } from "../../test/simulators/rerank/rerank-simulator.ts";
import {
  client,
  hex,
  newWorld,
  startTestServer,
  type TestServer,
  testDatabase,
  testServer,
  type World,
} from "../../test/support.ts";
import { createGuardedFetch } from "../providers/guarded-fetch.ts";
import { reembedOutdated } from "./maintain.ts";

const plain = await testServer();
const simulator = await startOpenaiSimulator();
const reranker = await startRerankSimulator("rerank-key");
const embedding = {
  EMBEDDING_PROVIDER: "openai-compatible",
  EMBEDDING_BASE_URL: `${simulator.url}/v1`,
  EMBEDDING_API_KEY: simulatorKey,
  EMBEDDING_MODEL: "text-embedding-3-small",
};
const database = await testDatabase();
let server: TestServer = await startTestServer({
  ...database,
  ...embedding,
  TRANSCRIPTION_BASE_URL: `${simulator.url}/v1`,
  TRANSCRIPTION_API_KEY: simulatorKey,
  TRANSCRIPTION_MODEL: "whisper-1",
  RERANK_BASE_URL: reranker.url,
  RERANK_API_KEY: "rerank-key",
  RERANK_MODEL: "rerank-1",
});
afterAll(async () => {
  await server.close();
  await simulator.close();
  await reranker.close();
});

const into = (world: World) => ({ addToWorkspaces: world.workspaceSlug });
const embeddingCalls = () => simulator.requests.filter(({ path }) => path === "/v1/embeddings").length;
const searchOf = (world: World, query: string) =>
  world.api.post(`/v1/workspace/${hex(world.workspaceSlug)}/vector-search`, { query });

describe("an embedding provider", () => {
  test("is asked once for a document, however many workspaces it goes into", async () => {
    const world = await newWorld(server);
    const second = await newWorkspace(world, "Second");
    const before = embeddingCalls();
    const { body } = await uploadText(
      server,
      world,
      "a.txt",
      "The harbour master has the keys.",
      into(world),
    );
    expect(embeddingCalls()).toBe(before + 1);
    expect((await embed(world, { adds: [body.documents[0].docpath] }, "", second)).status).toBe(200);
    expect(
      (await embed(world, { deletes: [body.documents[0].docpath], adds: [body.documents[0].docpath] }))
        .status,
    ).toBe(200);
    await uploadText(server, world, "a.txt", "The harbour master has the keys.", into(world));
    expect(embeddingCalls()).toBe(before + 1);
    const answer = await searchOf(world, "harbour master keys");
    expect(answer.body.mode).toBe("semantic");
    expect(answer.body.results[0].text).toBe("The harbour master has the keys.");
    expect((await rowsOf(server, world)).segments).toHaveLength(1);
    expect((await rowsOf(server, world)).segments[0]?.maker).toContain("text-embedding-3-small");
  });

  test("that is down for a while is asked again", async () => {
    const world = await newWorld(server);
    simulator.fail({ fault: { kind: "status", status: 503 }, times: 2, path: "/v1/embeddings" });
    const { status, body } = await uploadText(
      server,
      world,
      "b.txt",
      "The bridge opens at nine.",
      into(world),
    );
    expect({ status, results: body.results }).toMatchObject({
      status: 200,
      results: [{ status: "embedded" }],
    });
    simulator.recover();
    expect(await found(world, "when does the bridge open")).toHaveLength(1);
  });

  test("that refuses for good fails the embedding with its reason; the document is ready and can be embedded later", async () => {
    const world = await newWorld(server);
    const secondTry = await uploadText(server, world, "d.txt", "The tower has four clocks.");
    simulator.fail({
      fault: { kind: "status", status: 401, message: `Incorrect API key provided: ${simulatorKey}.` },
      path: "/v1/embeddings",
    });
    const { status, body } = await uploadText(server, world, "c.txt", "The cellar is locked.", into(world));
    expect(status).toBe(207);
    expect(body).toMatchObject({
      success: false,
      documents: [{ status: "ready", error: null, workspaces: [world.workspaceSlug] }],
      results: [{ status: 502, workspace: world.workspaceSlug, message: expect.stringMatching(/refused/) }],
    });
    expect(JSON.stringify(body)).not.toContain(simulatorKey);
    const workspace = await world.api.get(`/v1/workspace/${hex(world.workspaceSlug)}`);
    expect(workspace.body.workspace.documents).toMatchObject([{ status: "failed", chunks: 0 }]);
    const again = await embed(world, { adds: [secondTry.body.documents[0].docpath] });
    expect(again).toMatchObject({ status: 207, body: { success: false, results: [{ status: 502 }] } });
    const search = await searchOf(world, "cellar");
    expect(search).toMatchObject({ status: 502, body: { code: "provider_failed" } });
    simulator.recover();
    const mended = await embed(world, {
      adds: [body.documents[0].docpath, secondTry.body.documents[0].docpath],
    });
    expect(mended).toMatchObject({ status: 200, body: { success: true } });
    expect(await found(world, "who locked the cellar")).not.toEqual([]);
  });

  test("that never comes back is the end of it after the last try, and nothing is left waiting", async () => {
    const world = await newWorld(server);
    const known = await uploadText(server, world, "e.txt", "The attic is dusty.");
    const fault = { kind: "status", status: 503, headers: { "retry-after": "600" } } as const;
    simulator.fail({ fault, path: "/v1/embeddings" });
    const sent = await uploadText(server, world, "f.txt", "The stairs creak.", into(world), "?wait=0");
    const adding = await embed(world, { adds: [known.body.documents[0].docpath] }, "?wait=0");
    await server.app.db.asSystem("jobs", (tx) =>
      tx
        .updateTable("jobs")
        .set({ max_attempts: 2 })
        .where("organization_id", "=", world.organizationId)
        .execute(),
    );
    for (const reply of [sent, adding]) {
      expect(reply.status).toBe(202);
      expect(await server.app.queue.wait(reply.body.job_id, 15_000)).toMatchObject({
        status: "failed",
        error: {
          code: expect.stringMatching(/^provider_/),
          message: expect.stringMatching(/failed again and again/),
        },
      });
    }
    simulator.recover();
    const { documents, members } = await rowsOf(server, world);
    expect(documents.map(({ status }) => status)).toEqual(["ready", "ready"]);
    expect(members.map(({ status }) => status)).toEqual(["failed", "failed"]);
  });

  test("that refuses a replacement leaves the old version in the search", async () => {
    const world = await newWorld(server);
    await uploadText(server, world, "v1.txt", "The museum charges five euros.", {
      ...into(world),
      external_id: "museum",
    });
    const before = await storedFiles(server, world);
    simulator.fail({ fault: { kind: "status", status: 401 }, path: "/v1/embeddings" });
    const { status, body } = await uploadText(server, world, "v2.txt", "The museum charges six euros.", {
      external_id: "museum",
    });
    simulator.recover();
    expect({ status, body }).toMatchObject({
      status: 207,
      body: { success: false, documents: [{ status: "ready", title: "v1.txt" }] },
    });
    expect((await found(world, "museum charges euros")).map(({ text }) => text)).toEqual([
      "The museum charges five euros.",
    ]);
    expect(await storedFiles(server, world)).toEqual(before);
  });

  test("reports how far it is", async () => {
    const world = await newWorld(server);
    const long = Array.from(
      { length: 3_000 },
      (_, i) => `Paragraph ${i} tells of the river and of ship ${i * 7}.`,
    ).join("\n\n");
    const made = await uploadText(server, world, "long.txt", long);
    simulator.fail({ fault: { kind: "slow", ms: 400 }, path: "/v1/embeddings" });
    const { body } = await embed(world, { adds: [made.body.documents[0].docpath] }, "?wait=0");
    const events = await world.api.get(`/v1/jobs/${body.job_id}/events`);
    simulator.recover();
    const jobs = String(events.body)
      .split("\n")
      .filter((line) => line.startsWith("data: "))
      .map((line) => JSON.parse(line.slice(6)));
    expect(jobs.at(-1)).toMatchObject({ status: "succeeded", result: { chunks: expect.any(Number) } });
    expect(jobs.some(({ progress }) => progress.step === "embedding")).toBe(true);
  });
});

describe("other providers", () => {
  test("a reranker decides the order where the workspace wants it, and its failure costs no answer", async () => {
    const world = await newWorld(server);
    for (const text of [
      "Parcels are sent on Monday.",
      "Parcels and parcels of parcels.",
      "Parcels sent abroad on Monday take long.",
    ]) {
      await uploadText(server, world, "p.txt", text, into(world));
    }
    const before = reranker.requests.length;
    await found(world, "parcels sent on Monday");
    expect(reranker.requests.length).toBe(before);
    await world.api.post(`/v1/workspace/${hex(world.workspaceSlug)}/update`, {
      vectorSearchMode: "rerank",
      topN: 2,
    });
    const ranked = await found(world, "parcels sent on Monday", { scoreThreshold: 0 });
    expect(reranker.requests.length).toBe(before + 1);
    expect(ranked).toHaveLength(2);
    expect(ranked[0]?.text).toBe("Parcels are sent on Monday.");
    expect(ranked[0]?.score).toBeGreaterThanOrEqual(ranked[1]?.score ?? 1);
    reranker.fail({ fault: { kind: "status", status: 400 } });
    expect(await found(world, "parcels sent on Monday", { scoreThreshold: 0 })).toHaveLength(2);
    reranker.recover();
  });

  test("a recording is transcribed where a provider is configured, else refused with that reason", async () => {
    const unable = await newWorld(plain);
    const wave = new Uint8Array(Buffer.concat([Buffer.from("RIFF$\0\0\0WAVEfmt "), Buffer.alloc(200)]));
    const refused = await uploadText(plain, unable, "speech.wav", wave);
    expect(refused).toMatchObject({ status: 415, body: { message: expect.stringMatching(/transcription/) } });
    const world = await newWorld(server);
    const { status, body } = await uploadText(server, world, "speech.wav", wave, into(world));
    expect({ status, message: body.message }).toEqual({ status: 200, message: undefined });
    expect(body.documents[0].type).toBe("audio/wav");
    expect((await found(world, "speech.wav bytes hash"))[0]?.text).toContain(
      "This is speech.wav of 216 bytes",
    );
  });

  test("files may lie in a bucket", async () => {
    const { options, close } = await startS3Server();
    const own = await startTestServer({
      FILE_STORE: "s3",
      S3_ENDPOINT: options.endpoint,
      S3_REGION: options.region,
      S3_BUCKET: options.bucket,
      S3_ACCESS_KEY_ID: options.accessKeyId,
      S3_SECRET_ACCESS_KEY: options.secretAccessKey,
    });
    const world = await newWorld(own);
    const { status, body } = await uploadText(
      own,
      world,
      "a.txt",
      "The bucket holds the water.",
      into(world),
    );
    expect({ status, message: body.message }).toEqual({ status: 200, message: undefined });
    expect(await storedFiles(own, world)).toHaveLength(3);
    expect(await found(world, "bucket water")).toHaveLength(1);
    const original = await world.api.get(documentPath(world, `${body.documents[0].name}/original`));
    expect(original.body).toBe("The bucket holds the water.");
    const removed = await world.api.delete(documentPath(world, "remove-files"), {
      files: [body.documents[0].docpath],
    });
    expect(removed.status).toBe(200);
    expect(await storedFiles(own, world)).toEqual([]);
    expect(await found(world, "bucket water")).toEqual([]);
    await own.close();
    await close();
  }, 90_000);
});

describe("upload-link", () => {
  test("an address that is not public is refused", async () => {
    const world = await newWorld(plain);
    for (const link of [
      `${simulator.url}/v1/models`,
      "http://localhost/",
      "http://169.254.169.254/latest/meta-data/",
      "http://[::1]/",
      "http://10.0.0.1/",
      "http://2130706433/",
    ]) {
      const reply = await world.api.post(documentPath(world, "upload-link"), { link });
      expect({ link, status: reply.status, path: reply.body.details?.[0]?.path }).toEqual({
        link,
        status: 400,
        path: "body.link",
      });
    }
    for (const link of ["ftp://example.com/a.txt", "file:///etc/passwd", "no link", ""]) {
      expect((await world.api.post(documentPath(world, "upload-link"), { link })).status).toBe(400);
    }
    expect((await rowsOf(plain, world)).documents).toEqual([]);
  });

  test("a page that may be fetched becomes a document that knows where it came from", async () => {
    const web = createServer((request, response) => {
      if (request.url === "/moved") response.writeHead(302, { location: "http://127.0.0.1:9/" }).end();
      else if (request.url === "/missing") response.writeHead(404).end();
      else if (request.url === "/large")
        response.writeHead(200, { "content-type": "text/plain" }).end("x".repeat(1_100_000));
      else if (request.url === "/zip")
        response.writeHead(200, { "content-type": "application/zip" }).end("PK\u0003\u0004");
      else
        response
          .writeHead(200, { "content-type": "text/html; charset=utf-8" })
          .end("<title>Visit us</title><p>The zoo is open all year.</p>");
    });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const address = web.address();
    const host = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    const own = await startTestServer(
      { MAX_UPLOAD_MB: "1" },
      { fetchPublic: createGuardedFetch({ allowHosts: [host] }) },
    );
    const world = await newWorld(own);
    const fetchLink = (path: string) =>
      world.api.post(documentPath(world, "upload-link"), { link: `http://${host}${path}`, ...into(world) });
    const visit = await fetchLink("/visit%2F..%00us?day=monday");
    expect(visit.status).toBe(200);
    expect(visit.body.documents[0]).toMatchObject({
      url: `http://${host}/visit%2F..%00us?day=monday`,
      chunkSource: `http://${host}/visit%2F..%00us?day=monday`,
      title: "Visit us",
      type: "text/html",
    });
    expect((await found(world, "zoo open"))[0]?.text).toContain("The zoo is open all year.");
    expect((await fetchLink("/moved")).status).toBe(400);
    expect((await fetchLink("/missing")).status).toBe(422);
    expect((await fetchLink("/large")).status).toBe(413);
    expect((await fetchLink("/zip")).status).toBe(415);
    web.closeAllConnections();
    web.close();
    expect((await fetchLink("/gone")).status).toBe(502);
    expect((await rowsOf(own, world)).documents).toHaveLength(1);
    await own.close();
  }, 90_000);
});

describe("a change of the model", () => {
  test("is caught up with in the background, while the old vectors are searched", async () => {
    const world = await newWorld(server);
    await uploadText(server, world, "a.txt", "The gardener waters the roses.", into(world));
    simulator.fail({ fault: { kind: "slow", ms: 5_000 }, times: 1, path: "/v1/embeddings" });
    const made = await uploadText(
      server,
      world,
      "unfinished.txt",
      "The pond has carps.",
      into(world),
      "?wait=0",
    );
    expect(made.status).toBe(202);
    await server.close();
    simulator.recover();
    server = await startTestServer({ ...database, ...embedding, EMBEDDING_MODEL: "text-embedding-ada-002" });
    const restarted = {
      ...world,
      api: client(server.url, world.partner.key, world.accountId),
    };
    expect((await found(restarted, "who waters the roses")).map(({ text }) => text)).toEqual([
      "The gardener waters the roses.",
    ]);
    expect(await reembedOutdated(server.app)).toBeGreaterThan(0);
    await until(async () => {
      const { segments, members } = await rowsOf(server, world);
      return (
        members.length === 2 &&
        segments.length === 2 &&
        segments.every(({ maker }) => maker.includes("ada-002"))
      );
    });
    expect(await until(async () => (await reembedOutdated(server.app)) === 0)).toBe(true);
    expect((await found(restarted, "who waters the roses")).map(({ text }) => text)).toEqual([
      "The gardener waters the roses.",
    ]);
    expect((await storedFiles(server, world)).filter((key) => key.startsWith("segments/"))).toHaveLength(2);
  }, 90_000);
});

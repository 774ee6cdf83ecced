import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { documentPath, embed, found, rowsOf, storedFiles, uploadText } from "../../test/document-support.ts";
import { client, newWorld, startTestServer, testDatabase, testServer } from "../../test/support.ts";

const server = await testServer();

describe("the queue", () => {
  test("three hundred files of one organization do not hold up another's one", async () => {
    const busy = await newWorld(server);
    const quick = await newWorld(server);
    const timed = async (name: string) => {
      const began = performance.now();
      const { status } = await uploadText(server, quick, name, `The file ${name} is small.`, {
        addToWorkspaces: quick.workspaceSlug,
      });
      expect(status).toBe(200);
      return performance.now() - began;
    };
    await timed("warm.txt");
    const alone = await timed("alone.txt");
    let queued = 0;
    const flood = Array.from({ length: 10 }, async () => {
      while (queued < 300) {
        queued += 1;
        const text = `Number ${queued} of very many.`;
        const { status } = await uploadText(
          server,
          busy,
          "f.txt",
          text,
          { addToWorkspaces: busy.workspaceSlug },
          "?wait=0",
        );
        expect(status).toBe(202);
      }
    });
    await Promise.all(flood);
    const waiting = await server.app.db.asSystem("jobs", (tx) =>
      tx
        .selectFrom("jobs")
        .select("id")
        .where("organization_id", "=", busy.organizationId)
        .where("status", "=", "queued")
        .execute(),
    );
    // Else there is nothing to wait behind.
    expect(waiting.length).toBeGreaterThan(20);
    for (const name of ["first.txt", "second.txt"]) expect((await timed(name)) - alone).toBeLessThan(2_000);
    await server.app.db.asSystem("jobs", (tx) =>
      tx
        .deleteFrom("jobs")
        .where("organization_id", "=", busy.organizationId)
        .where("status", "=", "queued")
        .execute(),
    );
  }, 90_000);

  test("that is full answers 503 and stores nothing", async () => {
    const world = await newWorld(server);
    const made = await uploadText(server, world, "a.txt", "It came before the others.");
    const files = await storedFiles(server, world);
    await server.app.db.asSystem("jobs", (tx) =>
      sql`insert into jobs (partner_id, account_id, organization_id, id, kind, lane, payload, max_attempts, due_at)
        select ${world.partner.id}::uuid, ${world.accountId}::uuid, ${world.organizationId}::integer, gen_random_uuid(), 'ingest',
          ${`organization:${world.organizationId}`}, '{}', 1, now() + interval '1 hour'
        from generate_series(1, 10000)`.execute(tx),
    );
    const refused = await uploadText(server, world, "b.csv", "when,what\ntoo late,it comes");
    expect(refused).toMatchObject({ status: 503, body: { code: "overloaded" } });
    expect(refused.headers.get("retry-after")).toBe("30");
    expect((await embed(world, { adds: [made.body.documents[0].docpath] })).status).toBe(503);
    expect(await storedFiles(server, world)).toEqual(files);
    expect((await rowsOf(server, world)).contents).toHaveLength(1);
    await server.app.db.asSystem("jobs", (tx) =>
      tx.deleteFrom("jobs").where("organization_id", "=", world.organizationId).execute(),
    );
    expect((await uploadText(server, world, "b.csv", "when,what\nin time,it comes")).status).toBe(200);
  });

  test("that stops answers who waits at once with 202, and the work is done after the restart", async () => {
    const database = await testDatabase();
    const first = await startTestServer(database);
    const world = await newWorld(first);
    await uploadText(first, world, "warm.txt", "The first file wakes everything up.");
    const long = Array.from({ length: 20_000 }, (_, i) => `Line ${i} of a long report.`).join("\n");
    const waiting = uploadText(
      first,
      world,
      "long.txt",
      long,
      { addToWorkspaces: world.workspaceSlug },
      "?wait=120",
    );
    while ((await rowsOf(first, world)).documents.length < 2)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const began = performance.now();
    first.app.queue.stopWaiting();
    const { status, body } = await waiting;
    expect({ status, isQuick: performance.now() - began < 5_000 }).toEqual({ status: 202, isQuick: true });
    await first.close();
    const second = await startTestServer(database);
    const again = { ...world, api: client(second.url, world.partner.key, world.accountId) };
    const end = await second.app.queue.wait(body.job_id, 25_000);
    expect(end).toMatchObject({ status: "succeeded" });
    expect(await found(again, "line 1234 of a long report")).not.toEqual([]);
    await second.close();
  }, 90_000);
});

describe.skipIf(!process.env.TEST_DATABASE_URL)("two processes on one database", () => {
  test("what one takes in, moves or removes, the other's next search knows", async () => {
    const database = await testDatabase();
    const one = await startTestServer(database);
    const two = await startTestServer(database);
    const here = await newWorld(one);
    const there = { ...here, api: client(two.url, here.partner.key, here.accountId) };
    for (let round = 0; round < 4; round += 1) {
      const [maker, watcher] = round % 2 === 0 ? [here, there] : [there, here];
      const { status, body } = await uploadText(
        round % 2 === 0 ? one : two,
        maker,
        "a.txt",
        `The secret of round ${round} is kept.`,
        {
          addToWorkspaces: maker.workspaceSlug,
        },
      );
      expect(status).toBe(200);
      const from = body.documents[0].docpath;
      const to = from.replace("custom-documents", "moved");
      expect((await found(watcher, "secret")).map(({ docpath }) => docpath)).toEqual([from]);
      await maker.api.post(documentPath(maker, "move-files"), { files: [{ from, to }] });
      expect((await found(watcher, "secret")).map(({ docpath }) => docpath)).toEqual([to]);
      await watcher.api.delete(documentPath(watcher, "remove-files"), { files: [to] });
      expect(await found(maker, "secret")).toEqual([]);
      expect(await found(watcher, "secret")).toEqual([]);
    }
    expect(await storedFiles(one, here)).toEqual([]);
    await one.close();
    await two.close();
  }, 90_000);
});

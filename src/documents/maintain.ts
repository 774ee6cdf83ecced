import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { enqueueEmbedding, isBeingEmbedded } from "./membership.ts";
import { segmentMaker } from "./segment-store.ts";

const STALE_MS = 24 * 3_600_000;
const REEMBED_AT_ONCE = 1_000;

/** What crashes leave behind: files of uploads that never ended, and stored files that no row names. */
export async function collectOrphans(app: App): Promise<void> {
  await sweepStaging(app);
  await app.files.sweepUnfinished(STALE_MS);
  for (const [prefix, known] of Object.entries(await knownKeys(app))) {
    for await (const file of app.files.list(`${prefix}/`)) {
      const old = app.now().getTime() - file.modifiedAt.getTime() > STALE_MS;
      if (old && !known.has(file.key)) await app.files.delete(file.key);
    }
  }
}

/**
 * After a change of the embedding model, the chunker or the segment format: every document gets a new segment in the
 * background, while the old one goes on serving.
 *
 * @returns how many jobs were begun
 */
export async function reembedOutdated(app: App): Promise<number> {
  for (let total = 0; ; ) {
    const begun = await reembedSome(app);
    total += begun;
    if (begun < REEMBED_AT_ONCE) return total;
  }
}

async function reembedSome(app: App): Promise<number> {
  const maker = segmentMaker(app);
  return app.db.asSystem("jobs", async (tx) => {
    const rows = await tx
      .selectFrom("workspace_documents")
      .leftJoin("segments", "segments.id", "workspace_documents.segment_id")
      .select(["workspace_documents.partner_id", "workspace_documents.account_id"])
      .select(["workspace_documents.organization_id", "workspace_documents.workspace_id"])
      .select(["workspace_documents.document_id", "workspace_documents.added_at"])
      // Also those whose embedding was never finished: they are known by having no segment.
      .where(sql<boolean>`segments.maker is distinct from ${maker}`)
      .where("workspace_documents.error", "is", null)
      .where(
        sql<boolean>`exists (select from documents where documents.id = workspace_documents.document_id
          and documents.content_id is not null)`,
      )
      .where((where) => where.not(isBeingEmbedded()))
      .limit(REEMBED_AT_ONCE)
      .execute();
    for (const row of rows) await enqueueEmbedding(app, tx, row);
    return rows.length;
  });
}

async function sweepStaging(app: App): Promise<void> {
  for (const name of await readdir(app.stagingDir).catch(() => [])) {
    const path = join(app.stagingDir, name);
    const age =
      app.now().getTime() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY);
    if (age > STALE_MS) await rm(path, { force: true });
  }
}

async function knownKeys(app: App): Promise<Record<"originals" | "parsed" | "segments", Set<string>>> {
  return app.db.asSystem(
    "jobs",
    async (tx) => {
      const contents = await tx.selectFrom("contents").select(["original_key", "parsed_key"]).execute();
      const segments = await tx.selectFrom("segments").select("file_key").execute();
      return {
        originals: new Set(contents.map((row) => row.original_key)),
        parsed: new Set(contents.flatMap((row) => (row.parsed_key === null ? [] : [row.parsed_key]))),
        segments: new Set(segments.map((row) => row.file_key)),
      };
    },
    "background",
  );
}

/** For {@link App.organizationCounters}. */
export async function countDocuments(tx: Tx, organizationId: number): Promise<number> {
  const { count } = await tx
    .selectFrom("documents")
    .select(sql<number>`count(*)`.as("count"))
    .where("organization_id", "=", organizationId)
    .executeTakeFirstOrThrow();
  return count;
}

import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import {
  channelSenders,
  contactParts,
  eraseSteps,
  organizationCounters,
  retentionParts,
  workspaceParts,
} from "./areas.ts";
import { createChatModels } from "./chat-models.ts";
import type { Config } from "./config.ts";
import type { App } from "./context.ts";
import type { Backend } from "./db/backend.ts";
import { lockDataDirectory, prepareDataDirectory } from "./db/data-directory.ts";
import { createDatabase } from "./db/database.ts";
import { migrate } from "./db/migrate.ts";
import { pgliteBackend } from "./db/pglite-backend.ts";
import { postgresBackend } from "./db/postgres-backend.ts";
import { createSignals } from "./db/signals.ts";
import { createChunker } from "./documents/chunker.ts";
import { createDocumentParser } from "./documents/parse/document-parser.ts";
import { loadWorkspaceDocuments } from "./documents/search.ts";
import { createSmallTexts } from "./documents/small-texts.ts";
import { uuidv7 } from "./http/uuid.ts";
import { createQueue } from "./jobs/queue.ts";
import { loadVocabulary } from "./models/tokens.ts";
import {
  filesFolder,
  openCarrier,
  openEmbedding,
  openEngineCalls,
  openFileStore,
  openMessenger,
  openReranker,
  openTranscriber,
  openVoiceEngines,
} from "./outside.ts";
import type { FileStore } from "./ports/file-store.ts";
import { ProviderError } from "./ports/provider-error.ts";
import { createGuardedFetch, type GuardedFetch } from "./providers/guarded-fetch.ts";
import { createSearchEngine } from "./retrieval/engine.ts";
import { RetrievalError } from "./retrieval/retrieval-error.ts";
import { createSegmentBuilder } from "./retrieval/segment-builder.ts";
import type { SegmentReader } from "./retrieval/segment-reader.ts";
import { createSecretBox } from "./secrets.ts";
import { createToolConnections } from "./tools/tool-connections.ts";
import { createUsageMeter } from "./usage/meter.ts";
import { VERSION } from "./version.ts";
import { numberLink } from "./voice/number-link.ts";
import { USUAL_WAITS } from "./voice/turn/call-state.ts";
import { createEngineMessages } from "./voice/vapi/engine-messages.ts";
import { joinVapiCall } from "./voice/vapi/join-call.ts";
import { createWebhookFetch } from "./webhook-fetch.ts";
import { createDeliveriesBell } from "./webhooks/deliveries-bell.ts";
import { createWhatsAppInbox } from "./whatsapp/inbox.ts";

/** An app with the things that end with it. */
export interface OpenApp {
  app: App;
  close(): Promise<void>;
}

interface Surroundings {
  log: Logger;
  /** The embedded database died: the process cannot go on. */
  onFatal: (error: Error) => void;
  /** Instead of the one that reaches the public internet only; for tests, whose web servers are on loopback. */
  fetchPublic?: GuardedFetch;
}

const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));

/** Opens the database (locking its folder if it is the embedded one), migrates it, and puts the app together. */
export async function openApp(config: Config, surroundings: Surroundings): Promise<OpenApp> {
  const { log, onFatal } = surroundings;
  prepareDataDirectory(config.dataDir);
  const unlock = config.databaseUrl === undefined ? await lockDataDirectory(config.dataDir) : () => undefined;
  let backend: Backend | undefined;
  try {
    backend = await openBackend(config, log, onFatal);
    const applied = await migrate(backend, MIGRATIONS);
    if (applied.length > 0) log.info({ migrations: applied }, "database migrated");
    return await assemble(config, surroundings, backend, unlock);
  } catch (error) {
    await backend?.close();
    unlock();
    throw error;
  }
}

async function assemble(
  config: Config,
  { log, fetchPublic }: Surroundings,
  backend: Backend,
  unlock: () => void,
): Promise<OpenApp> {
  if (config.llm !== undefined) loadVocabulary();
  const db = createDatabase(backend);
  const signals = await createSignals({
    db,
    backend,
    nowMs: () => performance.now(),
    onError: (error) => log.warn({ error }, "the database could not be asked for changes"),
  });
  const segmentReader =
    config.s3 === undefined ? { directory: filesFolder(config) } : s3Reader(() => app.files);
  const carrier = openCarrier(config);
  const app: App = {
    config,
    files: openFileStore(config),
    stagingDir: join(config.dataDir, "staging"),
    parser: createDocumentParser({ processes: Math.min(2, availableParallelism()) }),
    chunker: createChunker(),
    segmentBuilder: createSegmentBuilder(),
    smallTexts: createSmallTexts(),
    search: createSearchEngine({
      loadDocuments: (key) => loadWorkspaceDocuments(app, key),
      reader: segmentReader,
    }),
    models: createChatModels(() => app.now()),
    embedding: openEmbedding(config),
    reranker: openReranker(config),
    transcriber: openTranscriber(config),
    messenger: openMessenger(config),
    carrier,
    voiceEngines: openVoiceEngines(config, carrier),
    engineCalls: openEngineCalls(config),
    engineMessages: createEngineMessages(),
    joinCall: joinVapiCall,
    whatsappInbox: createWhatsAppInbox({ db, signals }),
    fetchPublic: fetchPublic ?? createGuardedFetch({ userAgent: `LumenOne/${VERSION}` }),
    tools: createToolConnections({ version: VERSION, now: () => new Date() }),
    fetchWebhook: createWebhookFetch(config),
    db,
    signals,
    queue: createQueue(db, signals, uuidv7),
    secrets: createSecretBox(
      config.secretKey ?? (await ownSecretKey(config.dataDir)),
      config.secretKeyPrevious,
    ),
    log,
    callWaits: USUAL_WAITS,
    deliveries: createDeliveriesBell(),
    usage: createUsageMeter({
      db,
      now: () => app.now(),
      onError: (error) => log.warn({ error }, "usage could not be written; it is tried again in a second"),
    }),
    now: () => new Date(),
    newId: uuidv7,
    eraseSteps,
    organizationCounters,
    numberLink,
    workspaceParts,
    channelSenders: channelSenders(config),
    contactParts,
    retentionParts,
  };
  return {
    app,
    async close() {
      await Promise.all([
        app.parser.close(),
        app.chunker.close(),
        app.segmentBuilder.close(),
        app.smallTexts.close(),
        app.search.close(),
        app.tools.close(),
      ]);
      signals.close();
      await app.usage.close();
      await db.close();
      unlock();
    },
  };
}

/** Segments in a bucket are read by this thread for the search thread. */
function s3Reader(files: () => FileStore): SegmentReader {
  return {
    async read(key, start, length) {
      try {
        return await files().read(key, { range: { first: start, last: start + length - 1 } });
      } catch (error) {
        if (!(error instanceof ProviderError) || error.code !== "not_found") throw error;
        throw new RetrievalError(
          "segment_missing",
          "The segment is not in the bucket. Embed the document again.",
        );
      }
    },
  };
}

async function openBackend(config: Config, log: Logger, onFatal: (error: Error) => void): Promise<Backend> {
  if (config.databaseUrl === undefined) return pgliteBackend({ dataDir: config.dataDir, onFatal });
  return postgresBackend({
    connectionString: config.databaseUrl,
    onConnectionError: (error) => log.warn({ error }, "a database connection broke; it is replaced"),
  });
}

/** Made once and kept beside the embedded database, so that a fresh start needs no setting. */
async function ownSecretKey(dataDir: string): Promise<string> {
  const file = join(dataDir, "secret.key");
  const made = randomBytes(32).toString("hex");
  try {
    await writeFile(file, made, { mode: 0o600, flag: "wx" });
    return made;
  } catch {
    return (await readFile(file, "utf8")).trim();
  }
}

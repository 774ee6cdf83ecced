import { join } from "node:path";
import type { Config } from "./config.ts";
import type { App, Embedding } from "./context.ts";
import type { Carrier } from "./ports/carrier.ts";
import type { Embedder } from "./ports/embedder.ts";
import type { EngineCalls } from "./ports/engine-calls.ts";
import type { FileStore } from "./ports/file-store.ts";
import type { Messenger } from "./ports/messenger.ts";
import type { Reranker } from "./ports/reranker.ts";
import type { Transcriber } from "./ports/transcriber.ts";
import { cohereEmbedder } from "./providers/cohere/cohere-embedder.ts";
import { diskFileStore } from "./providers/disk/disk-file-store.ts";
import { embedBatches } from "./providers/embed-batches.ts";
import { googleEmbedder } from "./providers/google/google-embedder.ts";
import { metaMessenger } from "./providers/meta/meta-messenger.ts";
import { ollamaEmbedder } from "./providers/ollama/ollama-embedder.ts";
import { openaiCompatibleEmbedder } from "./providers/openai-compatible/openai-embedder.ts";
import { openaiCompatibleTranscriber } from "./providers/openai-compatible/openai-transcriber.ts";
import { httpReranker } from "./providers/rerank/http-reranker.ts";
import { s3FileStore } from "./providers/s3/s3-file-store.ts";
import { twilioCarrier } from "./providers/twilio/twilio-carrier.ts";
import { vapiCalls } from "./providers/vapi/vapi-calls.ts";
import { vapiEngine } from "./providers/vapi/vapi-engine.ts";
import { voyageEmbedder } from "./providers/voyage/voyage-embedder.ts";
import { batchQuestions, rememberQuestions } from "./question-vectors.ts";
import { relayEngine } from "./voice/relay/relay-engine.ts";

const EMBEDDERS = {
  "openai-compatible": openaiCompatibleEmbedder,
  ollama: ollamaEmbedder,
  cohere: cohereEmbedder,
  voyage: voyageEmbedder,
  google: googleEmbedder,
} as const;

/** Where files lie: under `DATA_DIR/files`, or in a bucket. */
export function openFileStore(config: Config): FileStore {
  return config.s3 === undefined ? diskFileStore({ root: filesFolder(config) }) : s3FileStore(config.s3);
}

/** For the search thread, which reads files of the disk store itself. */
export function filesFolder(config: Config): string {
  return join(config.dataDir, "files");
}

export function openEmbedding(config: Config): Embedding | null {
  if (config.embedding === undefined) return null;
  const { provider, ...options } = config.embedding;
  return embeddingOf(EMBEDDERS[provider](withoutUndefined(options)));
}

export function openReranker(config: Config): Reranker | null {
  return config.rerank === undefined ? null : httpReranker(withoutUndefined(config.rerank));
}

export function openTranscriber(config: Config): Transcriber | null {
  return config.transcription === undefined
    ? null
    : openaiCompatibleTranscriber(withoutUndefined(config.transcription));
}

/** Telnyx carries calls, but its numbers are bought by hand. */
export function openCarrier({ twilio, carrier }: Config): Carrier | null {
  return carrier === "twilio" && twilio !== undefined ? twilioCarrier(twilio) : null;
}

/** Our own engine is always there, if only to say what it lacks. */
export function openVoiceEngines(config: Config, carrier: Carrier | null): App["voiceEngines"] {
  const { publicUrl, carrier: carrierName } = config;
  return { relay: relayEngine({ publicUrl, carrierName, carrier }), vapi: openVapi(config) };
}

function openVapi({ vapi, publicUrl, twilio }: Config): App["voiceEngines"]["vapi"] {
  if (vapi === undefined || publicUrl === undefined) return null;
  const { webhookSecret: secret, ...account } = vapi;
  return vapiEngine({
    ...account,
    server: { url: `${publicUrl}/webhooks/vapi`, secret },
    twilio: twilio ?? null,
  });
}

export function openEngineCalls({ vapi }: Config): EngineCalls | null {
  return vapi === undefined ? null : vapiCalls(vapi);
}

export function openMessenger({ meta }: Config): Messenger | null {
  if (meta === undefined) return null;
  const { appId, appSecret, graphBaseUrl: baseUrl, graphVersion: version } = meta;
  return metaMessenger({ appId, appSecret, baseUrl, version, fetch });
}

function embeddingOf(embedder: Embedder): Embedding {
  return {
    id: embedder.id,
    async embedDocuments(texts, signal, onProgress) {
      const vectors: Float32Array[] = [];
      const batches = embedBatches(embedder, texts, {
        input: "document",
        signal,
        onProgress: ({ done, total }) => onProgress(done, total),
      });
      for await (const batch of batches) vectors.push(...batch.vectors);
      return vectors;
    },
    embedQuery: rememberQuestions(
      batchQuestions(async (texts) => (await embedder.embed(texts, { input: "query" })).vectors),
    ),
  };
}

/** An absent option and one that is `undefined` are two things to an adapter with defaults. */
function withoutUndefined<Options extends object>(
  options: Options,
): { [Name in keyof Options]: NonNullable<Options[Name]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Options]: NonNullable<Options[Name]>;
  };
}

import type { RawBuilder } from "kysely";
import type { Logger } from "pino";
import type { JoinCall } from "./assistant/held-call.ts";
import type { Config } from "./config.ts";
import type { Channel, ChannelSender } from "./conversations/channel.ts";
import type { ContactPart, RetentionPart } from "./conversations/contact-part.ts";
import type { Database, Tx } from "./db/database.ts";
import type { Signals } from "./db/signals.ts";
import type { Chunker } from "./documents/chunker.ts";
import type { DocumentParser } from "./documents/parse/document-parser.ts";
import type { SmallTexts } from "./documents/small-texts.ts";
import type { EraseStep } from "./jobs/erase-step.ts";
import type { Queue } from "./jobs/queue.ts";
import type { Carrier } from "./ports/carrier.ts";
import type { ChatModel, ChatProvider } from "./ports/chat-model.ts";
import type { EngineCalls } from "./ports/engine-calls.ts";
import type { FileStore } from "./ports/file-store.ts";
import type { Messenger } from "./ports/messenger.ts";
import type { Reranker } from "./ports/reranker.ts";
import type { Transcriber } from "./ports/transcriber.ts";
import type { VoiceEngine, VoiceEngineName } from "./ports/voice-engine.ts";
import type { GuardedFetch } from "./providers/guarded-fetch.ts";
import type { SearchEngine } from "./retrieval/engine.ts";
import type { SegmentBuilder } from "./retrieval/segment-builder.ts";
import type { SecretBox } from "./secrets.ts";
import type { ToolConnections } from "./tools/tool-connections.ts";
import type { UsageMeter } from "./usage/meter.ts";
import type { CallWaits } from "./voice/turn/call-state.ts";
import type { EngineMessages } from "./voice/vapi/engine-messages.ts";
import type { DeliveriesBell } from "./webhooks/deliveries-bell.ts";
import type { WhatsAppInbox } from "./whatsapp/inbox.ts";
import type { WorkspaceContents } from "./workspaces/workspaces.schemas.ts";

/** What a later room adds to a workspace that is fetched, in the one query that fetches it. */
export interface WorkspacePart {
  name: string;
  /** A JSON value of the row `workspaces` in the query. */
  select: RawBuilder<unknown>;
  /** What it becomes in the answer; of the totals those that it knows, in the order of the parts. */
  show(
    value: unknown,
    orgSlug: string,
  ): Partial<Omit<WorkspaceContents, "totals">> & { totals?: Partial<WorkspaceContents["totals"]> };
}

export type OrganizationCounter = (tx: Tx, organizationId: number) => Promise<number>;

/** The configured embedding model; texts of any number and length. */
export interface Embedding {
  /** Equal ids, interchangeable vectors. */
  id: string;
  /** One vector a text, in their order. @throws ProviderError */
  embedDocuments(
    texts: readonly string[],
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<Float32Array[]>;
  /** @throws ProviderError */
  embedQuery(text: string): Promise<Float32Array>;
}

/** A vendor of language models as one tenant, or the installation, is known to it. */
export interface ChatVendor {
  provider: ChatProvider;
  /** Tells this vendor and its owner from all others. */
  key: string;
  /** Another one after every change of the settings. */
  version: string;
  /** Asked for only when an adapter is made: a credential is decrypted once. */
  settings(): {
    baseUrl: string | null;
    apiKey: string | null;
    contextTokens: number | null;
    maxOutputTokens: number | null;
    /** Where a tenant chose the address; null: any address may be called. */
    fetchPublic: GuardedFetch | null;
  };
}

/** Adapters of language models, kept between requests. */
export interface ChatModels {
  open(vendor: ChatVendor, model: string): ChatModel;
  /** The names it offers, at most ten minutes old; null where it does not say. @throws ProviderError */
  list(vendor: ChatVendor): Promise<readonly string[] | null>;
}

/** All that a verb may reach. Built once in `app.ts`; tests build the same with other settings. */
export interface App {
  config: Config;
  db: Database;
  signals: Signals;
  queue: Queue;
  secrets: SecretBox;
  log: Logger;
  /** Originals, what was read from them, and segments. */
  files: FileStore;
  /** Where files lie while they are received or read; local disk. */
  stagingDir: string;
  parser: DocumentParser;
  chunker: Chunker;
  segmentBuilder: SegmentBuilder;
  smallTexts: SmallTexts;
  search: SearchEngine;
  models: ChatModels;
  /** `null`: none is configured, and search is lexical. */
  embedding: Embedding | null;
  /** `null`: none is configured, and the mode `rerank` ranks as `default` does. */
  reranker: Reranker | null;
  /** `null`: none is configured, and recordings are refused. */
  transcriber: Transcriber | null;
  /** `null`: Meta's app is not configured, and WhatsApp cannot be connected. */
  messenger: Messenger | null;
  /** `null`: none is configured that sells numbers, and numbers are bought by hand. */
  carrier: Carrier | null;
  /** Who can hold calls; null: not set up here. `config.voiceEngine` is the one for what is made from now on. */
  voiceEngines: Readonly<Record<VoiceEngineName, VoiceEngine | null>>;
  /** Calls that are held elsewhere; `null`: only our own engine is set up. */
  engineCalls: EngineCalls | null;
  /** What came of the messages about them; one for each process. */
  engineMessages: EngineMessages;
  /** A call that asks for its answers as a client made for OpenAI does; null: it is a client like any other. */
  joinCall: JoinCall;
  /** Where Meta's webhook puts down what it is told. */
  whatsappInbox: WhatsAppInbox;
  /** For addresses that a caller chose: it reaches the public internet only. */
  fetchPublic: GuardedFetch;
  /** What calls of tools keep: tokens, sessions with MCP servers, and how many are under way. */
  tools: ToolConnections;
  /** For partners' webhook endpoints; see `webhook-fetch.ts`. */
  fetchWebhook: GuardedFetch;
  /** How long a phone call waits for what; tests wait less. */
  callWaits: CallWaits;
  /** Rung when an event was recorded. */
  deliveries: DeliveriesBell;
  /** For what is counted too often for a row each; see `usage/count.ts` for what is billed. */
  usage: UsageMeter;
  /** The time, so that a test can choose it. */
  now(): Date;
  /** A UUID of version 7: later ids sort after earlier ones. */
  newId(): string;
  /** What the rooms do when a tenant is erased, last room first; the tenant's own rows go at the end. */
  eraseSteps: readonly EraseStep[];
  workspaceParts: readonly WorkspacePart[];
  /** Channels that bring a human's answer to people who do not ask for it. */
  channelSenders: Readonly<Partial<Record<Channel, ChannelSender>>>;
  /** What rooms behind the conversations keep of people, and for how long. */
  contactParts: readonly ContactPart[];
  retentionParts: readonly RetentionPart[];
  /**
   * Of the row `numbers` in a query: the workspace whose assistant answers that number, as the JSON value
   * `{workspace: "<original slug>"}`, or SQL's null.
   */
  numberLink: RawBuilder<unknown>;
  /** What an organization holds, counted by the rooms that hold it. */
  organizationCounters: { [Thing in "workspaces" | "documents" | "numbers"]?: OrganizationCounter };
}

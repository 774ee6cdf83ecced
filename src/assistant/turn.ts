import type { Channel } from "../conversations/channel.ts";
import type { Tx } from "../db/database.ts";
import type { ChatImage, ChatMessage, ChatRequest, ChatTool, ChatToolCall } from "../ports/chat-model.ts";
import type { Source } from "./sources.ts";

export type ChatMode = "automatic" | "chat" | "query";

/** What is kept of a file that a person sent along. */
export interface StoredAttachment {
  name: string;
  mime: string;
  size_bytes: number;
}

/** One thing asked, on whatever channel. */
export interface TurnQuestion {
  channel: Channel;
  /** `null`: the workspace's own conversation of that channel. */
  sessionId: string | null;
  /** `null`: no thread. */
  threadSlug: string | null;
  /** Who asks, where the channel knows the person; a conversation without a contact gets it. */
  contactId: string | null;
  text: string;
  images: readonly ChatImage[];
  attachments: readonly StoredAttachment[];
  /** `null`: the workspace's own. */
  mode: ChatMode | null;
  /** What was said before is forgotten first. */
  reset: boolean;
  /** A client that keeps the conversation itself and has tools of its own; `null`: the history is ours. */
  client: ClientSide | null;
  /** A UUID under which the turn is stored, once however often it is asked; without it, it gets one. */
  turnId?: string;
  /** Further instructions of the channel, beside the workspace's. */
  instructions?: string;
  /**
   * Called when all is ready and the model is about to be asked: what it took until then was ours.
   *
   * @param retrievalMs how much of that went into the search for what to answer from
   */
  onAsking?: (retrievalMs: number) => void;
  /**
   * Runs in the transaction that stores the turn: what the channel does with it is done as well, or neither is. Such a
   * channel asks again when an attempt fails or the process dies, so nothing is stored of one that did not come to its end.
   */
  whenStored?: (tx: Tx, stored: StoredAnswer) => Promise<void>;
}

/** What became of a question, as its channel is told. */
export interface StoredAnswer {
  conversationId: string;
  /** `null`: nothing was answered, since a human has taken over; or the conversation was erased meanwhile. */
  answer: { messageId: number; text: string; sources: readonly Source[] } | null;
}

/** What an OpenAI client brings along. */
export interface ClientSide {
  /** Its system messages: further instructions of the application. */
  instructions: string;
  /** What was said before the question, oldest first. */
  before: readonly ChatMessage[];
  /** Its tools' calls and results since the question. */
  after: readonly ChatMessage[];
  /** Run by the client: a call of one ends the turn. */
  tools: readonly ChatTool[];
  settings: Pick<ChatRequest, "toolChoice" | "temperature" | "topP" | "maxOutputTokens" | "stop">;
}

/** What a turn took. The names are those of the API's lineage. */
export interface TurnMetrics {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  /** Seconds that the model took. */
  duration: number;
  outputTps: number;
  model: string | null;
  provider: string | null;
  timestamp: string;
}

export interface TurnEnd {
  type: "end";
  /** Of the stored answer; `null` when nothing was answered. */
  chatId: number | null;
  /** All of the answer. */
  text: string;
  sources: Source[];
  metrics: TurnMetrics;
  reason: "stop" | "length" | "tool-calls";
  /** A human has taken over: the message is stored, and nothing is answered. */
  paused: boolean;
}

/** An answer while it comes into being. */
export type TurnEvent =
  | { type: "text"; text: string }
  | { type: "tool-started"; callId: string; tool: string }
  | { type: "tool-ended"; callId: string; tool: string; status: "ok" | "failed"; ms: number }
  /** For the client to run; nothing but the end comes after it. */
  | { type: "client-calls"; calls: readonly ChatToolCall[] }
  | TurnEnd;

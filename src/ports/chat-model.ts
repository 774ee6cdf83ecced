/** The settings' words for the vendors and protocols that there are adapters for. */
export const CHAT_PROVIDERS = [
  "openai-compatible",
  "openai",
  "anthropic",
  "google",
  "mistral",
  "ollama",
  "azure",
] as const;

export type ChatProvider = (typeof CHAT_PROVIDERS)[number];

/** A picture that a person sent along; `dataBase64` without a `data:` prefix. */
export type ChatImage = { mime: string; dataBase64: string };

/** A tool as a model is told of it. `parameters` is a JSON Schema (2020-12) whose type is `object`. */
export type ChatTool = { name: string; description: string; parameters: Readonly<Record<string, unknown>> };

/**
 * A model's wish to call a tool. `arguments` is what the vendor's text parsed to; a text that was no JSON arrives as that
 * string, so that validation refuses it and the model is told.
 */
export type ChatToolCall = { id: string; name: string; arguments: unknown };

/** One thing said, in the order it was said. */
export type ChatMessage =
  | { role: "system"; text: string }
  | { role: "user"; text: string; images?: readonly ChatImage[] }
  | { role: "assistant"; text: string; toolCalls?: readonly ChatToolCall[] }
  | { role: "tool"; callId: string; toolName: string; text: string; failed: boolean };

export type ChatRequest = {
  messages: readonly ChatMessage[];
  tools?: readonly ChatTool[];
  /** `auto` when absent and there are tools. */
  toolChoice?: "auto" | "none" | "required" | { name: string };
  /** 0 to 2; absent leaves the model its own. */
  temperature?: number;
  topP?: number;
  maxOutputTokens?: number;
  stop?: readonly string[];
};

/** Tokens the vendor counted; null when it does not say. */
export type ChatUsage = { inputTokens: number | null; outputTokens: number | null };

export type ChatEndReason = "stop" | "length" | "tool-calls" | "filtered" | "other";

export type ChatEvent =
  /** What arrived together may come as one. */
  | { type: "text"; text: string }
  /** Whole, once its arguments are. */
  | { type: "tool-call"; call: ChatToolCall }
  /** The last event of every stream that did not fail. */
  | { type: "end"; reason: ChatEndReason; usage: ChatUsage };

export type ChatCompletion = {
  text: string;
  toolCalls: readonly ChatToolCall[];
  reason: ChatEndReason;
  usage: ChatUsage;
};

/** A language model. */
export type ChatModel = {
  /** The setting's word for it, e.g. `openai-compatible`, `anthropic`. */
  provider: string;
  model: string;
  /** Tokens of prompt and answer together that fit. */
  contextTokens: number;
  /** Tokens an answer may have at most. */
  maxOutputTokens: number;

  /**
   * One request, no retries. Aborting `signal` ends the vendor's work too: its connection is closed.
   * Errors: `ProviderError`, before the first event or between two.
   */
  stream(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent>;

  /** The same in one piece. Errors: `ProviderError`. */
  complete(request: ChatRequest, signal: AbortSignal): Promise<ChatCompletion>;
};

import type { Fetch } from "./call-provider.ts";

/** What every chat model is made from. */
export type ChatModelOptions = {
  /** The vendor's own address when absent. */
  baseUrl?: string;
  /** Empty or absent where none is needed (a server of one's own). */
  apiKey?: string;
  model: string;
  /** Tokens of prompt and answer together. Default: {@link DEFAULT_CONTEXT_TOKENS}. */
  contextTokens?: number;
  /** Default: {@link DEFAULT_MAX_OUTPUT_TOKENS}. */
  maxOutputTokens?: number;
  timeouts?: Partial<ChatTimeouts>;
  fetch?: Fetch;
};

export type ChatTimeouts = {
  /** Until the vendor's first word of the answer; reading a long prompt takes its time. */
  firstMs: number;
  /** Between two of its words. */
  stallMs: number;
  /** For all of it. */
  wholeMs: number;
};

export const CHAT_TIMEOUTS: ChatTimeouts = { firstMs: 30_000, stallMs: 30_000, wholeMs: 120_000 };

/** Smaller than what today's models hold, so that a prompt never fails for a model nobody described. */
export const DEFAULT_CONTEXT_TOKENS = 32_768;
export const DEFAULT_MAX_OUTPUT_TOKENS = 4_096;

/** The part of a model that is data. */
export function chatLimits(provider: string, options: ChatModelOptions) {
  const contextTokens = options.contextTokens ?? DEFAULT_CONTEXT_TOKENS;
  return {
    provider,
    model: options.model,
    contextTokens,
    maxOutputTokens: Math.min(
      options.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
      Math.floor(contextTokens / 2),
    ),
  };
}

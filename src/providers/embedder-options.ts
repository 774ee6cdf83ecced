import type { Embedder, EmbedderLimits } from "../ports/embedder.ts";
import { ProviderError } from "../ports/provider-error.ts";
import type { Fetch } from "./call-provider.ts";

/** What every embedder is made from. */
export type EmbedderOptions = {
  /** The vendor's own address when absent. */
  baseUrl?: string;
  /** Empty or absent where none is needed (a server of one's own). */
  apiKey?: string;
  model: string;
  /** Asks for shorter vectors where the model offers them; answers of any other length are an error. */
  dimensions?: number;
  /** Replaces the vendor's documented limits, e.g. for a smaller server. */
  limits?: Partial<EmbedderLimits>;
  /** For one request. Default 60 s. */
  timeoutMs?: number;
  fetch?: Fetch;
};

export function bearer(apiKey: string | undefined): Record<string, string> {
  return apiKey ? { authorization: `Bearer ${apiKey}` } : {};
}

/** What an embedder says of itself. `limits` are the vendor's documented ones. */
export function embedderFacts(
  provider: string,
  { model, dimensions, limits: own }: Pick<EmbedderOptions, "model" | "dimensions" | "limits">,
  limits: EmbedderLimits,
): Pick<Embedder, "provider" | "model" | "dimensions" | "id" | "limits"> {
  return {
    provider,
    model,
    dimensions: dimensions ?? null,
    id: `${provider}/${model}${dimensions === undefined ? "" : `@${dimensions}`}`,
    limits: { ...limits, ...own },
  };
}

/**
 * The texts as they may be sent. Some vendors answer too many with fewer vectors instead of an error: never ask for
 * more. Half a surrogate pair, legal in JavaScript, makes several vendors refuse the whole request.
 */
export function sendableTexts(provider: string, texts: readonly string[], limits: EmbedderLimits): string[] {
  if (texts.length > limits.maxInputs) {
    throw new ProviderError(`${provider} takes at most ${limits.maxInputs} texts in one request.`, {
      provider,
      code: "input_too_large",
    });
  }
  return texts.map((text) => text.toWellFormed());
}

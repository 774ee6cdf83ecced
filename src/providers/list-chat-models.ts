import { z } from "zod";
import type { ChatProvider } from "../ports/chat-model.ts";
import { ProviderError } from "../ports/provider-error.ts";
import { endpointUrl } from "./base-url.ts";
import { callProvider, type Fetch } from "./call-provider.ts";
import { bearer } from "./embedder-options.ts";

export type ModelListOptions = { baseUrl?: string; apiKey?: string; fetch?: Fetch; timeoutMs?: number };

type Listing = {
  base: string;
  version: string;
  path: string;
  headers(apiKey: string): Record<string, string>;
  /** The names in an answer. */
  names: z.ZodType<string[]>;
};

const ids = z
  .object({ data: z.array(z.object({ id: z.string() })) })
  .transform(({ data }) => data.map(({ id }) => id));

const openai: Omit<Listing, "base"> = { version: "v1", path: "models", headers: bearer, names: ids };

/** Where each vendor tells which models it has. Azure's list names models, not the deployments one can ask. */
const LISTINGS: Record<Exclude<ChatProvider, "azure">, Listing> = {
  "openai-compatible": { ...openai, base: "https://api.openai.com" },
  openai: { ...openai, base: "https://api.openai.com" },
  mistral: { ...openai, base: "https://api.mistral.ai" },
  anthropic: {
    base: "https://api.anthropic.com",
    version: "v1",
    path: "models?limit=1000",
    headers: (apiKey) => ({ "x-api-key": apiKey, "anthropic-version": "2023-06-01" }),
    names: ids,
  },
  google: {
    base: "https://generativelanguage.googleapis.com",
    version: "v1beta",
    path: "models?pageSize=1000",
    headers: (apiKey) => ({ "x-goog-api-key": apiKey }),
    names: z
      .object({ models: z.array(z.object({ name: z.string() })) })
      .transform(({ models }) => models.map(({ name }) => name.replace(/^models\//, ""))),
  },
  ollama: {
    base: "http://127.0.0.1:11434",
    version: "api",
    path: "tags",
    headers: bearer,
    // `llama3.2` and `llama3.2:latest` are one.
    names: z
      .object({ models: z.array(z.object({ name: z.string() })) })
      .transform(({ models }) => models.flatMap(({ name }) => [name, name.replace(/:latest$/, "")])),
  },
};

/**
 * The models that a vendor offers this credential; null where it does not say. Errors: `ProviderError`.
 */
export async function listChatModels(
  provider: ChatProvider,
  options: ModelListOptions,
  signal?: AbortSignal,
): Promise<string[] | null> {
  if (provider === "azure") return null;
  const { base, version, path, headers, names } = LISTINGS[provider];
  const { apiKey = "" } = options;
  const baseUrl = provider === "ollama" ? options.baseUrl?.replace(/\/v1\/?$/, "") : options.baseUrl;
  try {
    const answer = await callProvider({
      provider,
      fetch: options.fetch ?? fetch,
      url: endpointUrl(baseUrl ?? base, version, path),
      headers: { ...headers(apiKey), accept: "application/json" },
      timeoutMs: options.timeoutMs ?? 5_000,
      maxAnswerBytes: 16 * 1024 * 1024,
      secrets: [apiKey],
      ...(signal === undefined ? {} : { signal }),
    });
    const parsed = names.safeParse(await answer.json());
    if (parsed.success) return parsed.data;
  } catch (error) {
    // Small servers of one's own often have no list.
    if (provider === "openai-compatible" && error instanceof ProviderError && error.code === "not_found")
      return null;
    throw error;
  }
  throw new ProviderError(`${provider} sent something that is no list of models. Check the base URL.`, {
    provider,
    status: 200,
    code: "bad_answer",
    retryable: true,
  });
}

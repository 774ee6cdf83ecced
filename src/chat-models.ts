import type { ChatModels, ChatVendor } from "./context.ts";
import type { ChatModel, ChatProvider } from "./ports/chat-model.ts";
import { anthropicChat } from "./providers/anthropic/anthropic-chat.ts";
import { azureChat } from "./providers/azure/azure-chat.ts";
import type { ChatModelOptions } from "./providers/chat-options.ts";
import { fetchThrough } from "./providers/fetch-through.ts";
import { googleChat } from "./providers/google/google-chat.ts";
import { listChatModels } from "./providers/list-chat-models.ts";
import { mistralChat } from "./providers/mistral/mistral-chat.ts";
import { ollamaChat } from "./providers/ollama/ollama-chat.ts";
import { openaiChat } from "./providers/openai/openai-official-chat.ts";
import { openaiCompatibleChat } from "./providers/openai-compatible/openai-chat.ts";

const ADAPTERS: Record<ChatProvider, (options: ChatModelOptions) => ChatModel> = {
  "openai-compatible": openaiCompatibleChat,
  openai: openaiChat,
  anthropic: anthropicChat,
  google: googleChat,
  mistral: mistralChat,
  ollama: ollamaChat,
  azure: azureChat,
};

const OPEN_MAX = 500;
const LISTS_MAX = 200;
const LIST_LIVES_MS = 10 * 60_000;

/** Adapters and lists of models, made when first asked for and made anew when their vendor's version changes. */
export function createChatModels(now: () => Date): ChatModels {
  const open = new Map<string, { version: string; model: ChatModel }>();
  const lists = new Map<string, { version: string; until: number; names: readonly string[] | null }>();
  return {
    open(vendor, model) {
      const key = JSON.stringify([vendor.key, model]);
      const known = open.get(key);
      if (known?.version === vendor.version) return known.model;
      const made = ADAPTERS[vendor.provider](optionsOf(vendor, model));
      remember(open, key, { version: vendor.version, model: made }, OPEN_MAX);
      return made;
    },
    async list(vendor) {
      const known = lists.get(vendor.key);
      const nowMs = now().getTime();
      if (known?.version === vendor.version && nowMs < known.until) return known.names;
      const names = await listChatModels(vendor.provider, optionsOf(vendor, ""));
      remember(
        lists,
        vendor.key,
        { version: vendor.version, until: nowMs + LIST_LIVES_MS, names },
        LISTS_MAX,
      );
      return names;
    },
  };
}

function optionsOf(vendor: ChatVendor, model: string): ChatModelOptions {
  const { baseUrl, apiKey, contextTokens, maxOutputTokens, fetchPublic } = vendor.settings();
  return {
    model,
    ...(baseUrl === null ? {} : { baseUrl }),
    ...(apiKey === null ? {} : { apiKey }),
    ...(contextTokens === null ? {} : { contextTokens }),
    ...(maxOutputTokens === null ? {} : { maxOutputTokens }),
    ...(fetchPublic === null ? {} : { fetch: fetchThrough(fetchPublic) }),
  };
}

/** The oldest entry makes room. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value, max: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}

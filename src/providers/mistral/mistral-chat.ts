import type { ChatModel } from "../../ports/chat-model.ts";
import { aiSdkChat, withoutRedirects } from "../ai-sdk-chat.ts";
import { apiBase } from "../base-url.ts";
import type { ChatModelOptions } from "../chat-options.ts";

/** Mistral's `POST /v1/chat/completions`. */
export function mistralChat(options: ChatModelOptions): ChatModel {
  const load = async () => {
    const { createMistral } = await import("@ai-sdk/mistral");
    const sdk = createMistral({
      apiKey: options.apiKey ?? "",
      baseURL: apiBase(options.baseUrl ?? "https://api.mistral.ai", "v1"),
      fetch: withoutRedirects(options.fetch ?? fetch),
    });
    return sdk(options.model);
  };
  return aiSdkChat("mistral", options, load);
}

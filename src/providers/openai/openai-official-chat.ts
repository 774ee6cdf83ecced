import type { ChatModel } from "../../ports/chat-model.ts";
import { aiSdkChat, withoutRedirects } from "../ai-sdk-chat.ts";
import { apiBase } from "../base-url.ts";
import type { ChatModelOptions } from "../chat-options.ts";

/**
 * OpenAI's own chat completions: the SDK knows which of its models take `max_completion_tokens`, a temperature or a
 * `developer` message.
 */
export function openaiChat(options: ChatModelOptions): ChatModel {
  const load = async () => {
    const { createOpenAI } = await import("@ai-sdk/openai");
    const sdk = createOpenAI({
      apiKey: options.apiKey ?? "",
      baseURL: apiBase(options.baseUrl ?? "https://api.openai.com", "v1"),
      fetch: withoutRedirects(options.fetch ?? fetch),
    });
    return sdk.chat(options.model);
  };
  return aiSdkChat("openai", options, load);
}

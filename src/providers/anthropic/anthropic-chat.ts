import type { ChatModel } from "../../ports/chat-model.ts";
import { aiSdkChat, withoutRedirects } from "../ai-sdk-chat.ts";
import { apiBase } from "../base-url.ts";
import { type ChatModelOptions, chatLimits } from "../chat-options.ts";

const provider = "anthropic";

/** Anthropic's Messages API, which wants to be told how long an answer may be. */
export function anthropicChat(options: ChatModelOptions): ChatModel {
  const load = async () => {
    const { createAnthropic } = await import("@ai-sdk/anthropic");
    const sdk = createAnthropic({
      apiKey: options.apiKey ?? "",
      baseURL: apiBase(options.baseUrl ?? "https://api.anthropic.com", "v1"),
      fetch: withoutRedirects(options.fetch ?? fetch),
    });
    return sdk(options.model);
  };
  const model = aiSdkChat(provider, options, load);
  const { maxOutputTokens } = chatLimits(provider, options);
  return {
    ...model,
    stream: (request, signal) => model.stream({ maxOutputTokens, ...request }, signal),
    complete: (request, signal) => model.complete({ maxOutputTokens, ...request }, signal),
  };
}

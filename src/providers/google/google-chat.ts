import type { ChatModel } from "../../ports/chat-model.ts";
import { aiSdkChat, withoutRedirects } from "../ai-sdk-chat.ts";
import { apiBase } from "../base-url.ts";
import type { ChatModelOptions } from "../chat-options.ts";

/** Gemini's `generateContent` and `streamGenerateContent`; the key travels in a header, never in the URL. */
export function googleChat(options: ChatModelOptions): ChatModel {
  const load = async () => {
    const { createGoogle } = await import("@ai-sdk/google");
    const sdk = createGoogle({
      apiKey: options.apiKey ?? "",
      baseURL: apiBase(options.baseUrl ?? "https://generativelanguage.googleapis.com", "v1beta"),
      fetch: withoutRedirects(options.fetch ?? fetch),
    });
    return sdk(options.model.replace(/^models\//, ""));
  };
  return aiSdkChat("google", options, load);
}

import type { ChatModel } from "../../ports/chat-model.ts";
import { ProviderError } from "../../ports/provider-error.ts";
import { aiSdkChat, withoutRedirects } from "../ai-sdk-chat.ts";
import { apiBase } from "../base-url.ts";
import type { ChatModelOptions } from "../chat-options.ts";

/** Azure OpenAI through its `/openai/v1` API; the model is the name of a deployment. */
export function azureChat(options: ChatModelOptions): ChatModel {
  const { baseUrl } = options;
  if (baseUrl === undefined) {
    throw new ProviderError("Azure needs a base URL: https://<resource>.openai.azure.com.", {
      provider: "azure",
      code: "rejected",
    });
  }
  const load = async () => {
    const { createAzure } = await import("@ai-sdk/azure");
    const sdk = createAzure({
      apiKey: options.apiKey ?? "",
      baseURL: apiBase(baseUrl, "openai/v1"),
      fetch: withoutRedirects(options.fetch ?? fetch),
    });
    return sdk.chat(options.model);
  };
  return aiSdkChat("azure", options, load);
}

import type { LanguageModelV4CallOptions, LanguageModelV4Message } from "@ai-sdk/provider";
import type { ChatMessage, ChatRequest } from "../ports/chat-model.ts";
import { argumentsObject } from "./chat-tool-calls.ts";

/** A request in the words of the AI SDK's language models. */
export function callOptions(request: ChatRequest): LanguageModelV4CallOptions {
  const { tools = [], toolChoice } = request;
  return {
    prompt: promptOf(request.messages),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map((tool) => ({
            type: "function" as const,
            name: tool.name,
            description: tool.description.toWellFormed(),
            inputSchema: tool.parameters,
          })),
          ...(toolChoice === undefined ? {} : { toolChoice: choiceOf(toolChoice) }),
        }),
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(request.topP === undefined ? {} : { topP: request.topP }),
    ...(request.maxOutputTokens === undefined ? {} : { maxOutputTokens: request.maxOutputTokens }),
    ...(request.stop === undefined || request.stop.length === 0 ? {} : { stopSequences: [...request.stop] }),
  };
}

function choiceOf(choice: NonNullable<ChatRequest["toolChoice"]>) {
  return typeof choice === "object" ? { type: "tool" as const, toolName: choice.name } : { type: choice };
}

/** Answers of tools that were called together stand together: some vendors take them only in one message. */
function promptOf(messages: readonly ChatMessage[]): LanguageModelV4Message[] {
  const prompt: LanguageModelV4Message[] = [];
  for (const message of messages) {
    const converted = toMessage(message);
    const last = prompt.at(-1);
    if (converted.role === "tool" && last?.role === "tool") last.content.push(...converted.content);
    else prompt.push(converted);
  }
  return prompt;
}

function toMessage(message: ChatMessage): LanguageModelV4Message {
  const text = message.text.toWellFormed();
  const texts = text === "" ? [] : [{ type: "text" as const, text }];
  switch (message.role) {
    case "system":
      return { role: "system", content: text };
    case "user": {
      const images = (message.images ?? []).map(({ mime, dataBase64 }) => ({
        type: "file" as const,
        mediaType: mime,
        data: { type: "data" as const, data: dataBase64 },
      }));
      return { role: "user", content: [...texts, ...images] };
    }
    case "assistant": {
      const calls = (message.toolCalls ?? []).map((call) => ({
        type: "tool-call" as const,
        toolCallId: call.id,
        toolName: call.name,
        input: argumentsObject(call),
      }));
      return { role: "assistant", content: [...texts, ...calls] };
    }
    case "tool": {
      const output = { type: message.failed ? ("error-text" as const) : ("text" as const), value: text };
      const { callId, toolName } = message;
      return { role: "tool", content: [{ type: "tool-result", toolCallId: callId, toolName, output }] };
    }
  }
}

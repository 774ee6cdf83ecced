import type { ChatMessage, ChatRequest } from "../../ports/chat-model.ts";
import { argumentsObject } from "../chat-tool-calls.ts";

/** The body of `POST /chat/completions`. Half a surrogate pair makes several servers refuse all of it. */
export function chatBody(model: string, request: ChatRequest, stream: boolean): string {
  const { tools = [], toolChoice } = request;
  return JSON.stringify({
    model,
    messages: request.messages.map(toMessage),
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }) => ({
            type: "function",
            function: { name, description: description.toWellFormed(), parameters },
          })),
          tool_choice:
            typeof toolChoice === "object"
              ? { type: "function", function: { name: toolChoice.name } }
              : toolChoice,
        }),
    temperature: request.temperature,
    top_p: request.topP,
    max_tokens: request.maxOutputTokens,
    stop: request.stop?.length === 0 ? undefined : request.stop,
  });
}

function toMessage(message: ChatMessage): object {
  const text = message.text.toWellFormed();
  switch (message.role) {
    case "system":
      return { role: "system", content: text };
    case "user":
      return { role: "user", content: contentOf(text, message.images ?? []) };
    case "tool":
      return { role: "tool", tool_call_id: message.callId, content: text };
    case "assistant": {
      const calls = message.toolCalls ?? [];
      if (calls.length === 0) return { role: "assistant", content: text };
      return {
        role: "assistant",
        content: text === "" ? null : text,
        tool_calls: calls.map((call) => ({
          id: call.id,
          type: "function",
          function: { name: call.name, arguments: JSON.stringify(argumentsObject(call)) },
        })),
      };
    }
  }
}

function contentOf(text: string, images: readonly { mime: string; dataBase64: string }[]) {
  if (images.length === 0) return text;
  return [
    ...(text === "" ? [] : [{ type: "text", text }]),
    ...images.map(({ mime, dataBase64 }) => ({
      type: "image_url",
      image_url: { url: `data:${mime};base64,${dataBase64}` },
    })),
  ];
}

import type { ChatMessage, ChatRequest } from "../../ports/chat-model.ts";
import { argumentsObject } from "../chat-tool-calls.ts";

/** The body of `POST /api/chat`. Ollama cannot be made to call a tool; it can be kept from it by not being told of any. */
export function ollamaBody(
  model: string,
  request: ChatRequest,
  contextTokens: number,
  stream: boolean,
): string {
  const tools = request.toolChoice === "none" ? [] : (request.tools ?? []);
  return JSON.stringify({
    model,
    stream,
    messages: request.messages.map(toMessage),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }) => ({
            type: "function",
            function: { name, description: description.toWellFormed(), parameters },
          })),
        }),
    options: {
      num_ctx: contextTokens,
      num_predict: request.maxOutputTokens,
      temperature: request.temperature,
      top_p: request.topP,
      stop: request.stop,
    },
  });
}

function toMessage(message: ChatMessage): object {
  const content = message.text.toWellFormed();
  switch (message.role) {
    case "system":
      return { role: "system", content };
    case "user": {
      const images = (message.images ?? []).map(({ dataBase64 }) => dataBase64);
      return { role: "user", content, ...(images.length === 0 ? {} : { images }) };
    }
    case "tool":
      return { role: "tool", content, tool_name: message.toolName };
    case "assistant": {
      const calls = (message.toolCalls ?? []).map((call) => ({
        function: { name: call.name, arguments: argumentsObject(call) },
      }));
      return { role: "assistant", content, ...(calls.length === 0 ? {} : { tool_calls: calls }) };
    }
  }
}

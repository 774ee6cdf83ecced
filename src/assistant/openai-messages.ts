import { Problem } from "../http/problem.ts";
import type { ChatImage, ChatMessage, ChatRequest, ChatTool, ChatToolCall } from "../ports/chat-model.ts";
import type { CompletionRequest, Message } from "./openai.schemas.ts";
import type { TurnQuestion } from "./turn.ts";

/**
 * What an OpenAI client asks, as a turn: its last message of the user is the question, what stands before is the
 * history, what comes after are its tools' results.
 *
 * @throws Problem `invalid_request` for a tool's result without its call
 */
export function toQuestion(request: CompletionRequest): TurnQuestion {
  const said = request.messages.filter(({ role }) => role !== "system" && role !== "developer");
  const asked = said.findLastIndex(({ role }) => role === "user");
  const messages = said.map((message) => toMessage(message, said, request.messages.indexOf(message)));
  const question = messages[asked];
  if (question?.role !== "user") throw new Error("the schema lets no request without a question through");
  return {
    channel: "openai",
    sessionId: request.user ?? null,
    threadSlug: null,
    contactId: null,
    text: question.text,
    images: question.images ?? [],
    attachments: (question.images ?? []).map(({ mime, dataBase64 }) => ({
      name: "image",
      mime,
      size_bytes: Math.floor((dataBase64.length * 3) / 4),
    })),
    mode: null,
    reset: false,
    client: {
      instructions: request.messages
        .filter(({ role }) => role === "system" || role === "developer")
        .map(textOf)
        .join("\n\n"),
      before: messages.slice(0, asked),
      after: messages.slice(asked + 1),
      tools: (request.tools ?? []).map(toTool),
      settings: settingsOf(request),
    },
  };
}

function toMessage(message: Message, all: readonly Message[], place: number): ChatMessage {
  const text = textOf(message);
  switch (message.role) {
    case "user":
      return { role: "user", text, ...imagesOf(message) };
    case "assistant": {
      const calls = (message.tool_calls ?? []).map(toCall);
      return { role: "assistant", text, ...(calls.length === 0 ? {} : { toolCalls: calls }) };
    }
    case "tool": {
      const callId = message.tool_call_id;
      const name = nameOfCall(callId, all);
      if (name === undefined) {
        const path = `body.messages.${place}.tool_call_id`;
        throw new Problem("invalid_request", `${path}: no message before has a call of this id.`, {
          details: [{ path, message: "no message before has a call of this id" }],
        });
      }
      return { role: "tool", callId, toolName: name, text, failed: false };
    }
    default:
      return { role: "system", text };
  }
}

function nameOfCall(id: string, messages: readonly Message[]): string | undefined {
  for (const message of messages) {
    if (message.role !== "assistant") continue;
    const call = message.tool_calls?.find((one) => one.id === id);
    if (call !== undefined) return call.function.name;
  }
  return undefined;
}

/** Arguments that are no JSON stay the text that they are. */
function toCall({
  id,
  function: { name, arguments: text },
}: {
  id: string;
  function: { name: string; arguments: string };
}): ChatToolCall {
  try {
    return { id, name, arguments: text === "" ? {} : JSON.parse(text) };
  } catch {
    return { id, name, arguments: text };
  }
}

function textOf(message: Message): string {
  const { content } = message;
  if (typeof content === "string") return content;
  return (content ?? []).flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
}

function imagesOf({ content }: Message & { role: "user" }): { images?: ChatImage[] } {
  if (typeof content === "string") return {};
  const images = content.flatMap((part) => {
    if (part.type !== "image_url") return [];
    const [, mime = "", dataBase64 = ""] = /^data:([^;]+);base64,(.*)$/.exec(part.image_url.url) ?? [];
    return [{ mime, dataBase64 }];
  });
  return images.length === 0 ? {} : { images };
}

function toTool({
  function: { name, description, parameters },
}: NonNullable<CompletionRequest["tools"]>[number]): ChatTool {
  return {
    name,
    description: description ?? "",
    parameters: { properties: {}, ...parameters, type: "object" },
  };
}

function settingsOf(
  request: CompletionRequest,
): Pick<ChatRequest, "toolChoice" | "temperature" | "topP" | "maxOutputTokens" | "stop"> {
  const { temperature, top_p: topP, stop, tool_choice: choice } = request;
  const maxOutputTokens = request.max_completion_tokens ?? request.max_tokens;
  return {
    ...(typeof temperature === "number" ? { temperature } : {}),
    ...(typeof topP === "number" ? { topP } : {}),
    ...(typeof maxOutputTokens === "number" ? { maxOutputTokens } : {}),
    ...(stop === undefined || stop === null ? {} : { stop: typeof stop === "string" ? [stop] : stop }),
    ...(choice === undefined || choice === null
      ? {}
      : { toolChoice: typeof choice === "string" ? choice : { name: choice.function.name } }),
  };
}

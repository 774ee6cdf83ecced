import { z } from "zod";
import {
  type ChatFormat,
  type ChatScriptBook,
  playScript,
  type SeenRequest,
  type StreamWriter,
  type WholeAnswer,
} from "../chat-script.ts";
import { countTokens } from "../embed-text.ts";
import type { SimulatorAnswer, SimulatorRequest } from "../simulator.ts";
import { openaiError, refusal } from "./openai-errors.ts";

export const chatModels = ["stub-64", "gpt-4o-mini", "gpt-4.1"];
/** Of every chat model here. */
const contextTokens = 128_000;

const text = z.string();
const textPart = z.strictObject({ type: z.literal("text"), text });
const imagePart = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.strictObject({
    url: z.string().regex(/^(https:\/\/|data:image\/[a-z]+;base64,[A-Za-z0-9+/]+=*$)/),
    detail: z.enum(["auto", "low", "high"]).optional(),
  }),
});
const toolName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/);
const toolCall = z.strictObject({
  id: z.string().min(1),
  type: z.literal("function"),
  function: z.strictObject({ name: toolName, arguments: text }),
});
const message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.enum(["system", "developer"]), content: z.union([text, z.array(textPart)]) }),
  z.strictObject({
    role: z.literal("user"),
    content: z.union([text, z.array(z.union([textPart, imagePart])).min(1)]),
    name: text.optional(),
  }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.union([text, z.array(textPart)]).nullish(),
    tool_calls: z.array(toolCall).min(1).optional(),
  }),
  z.strictObject({
    role: z.literal("tool"),
    tool_call_id: z.string().min(1),
    content: z.union([text, z.array(textPart)]),
  }),
]);
const bodySchema = z.strictObject({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_usage: z.boolean().optional() }).nullish(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal("function"),
        function: z.strictObject({
          name: toolName,
          description: text.optional(),
          parameters: z.looseObject({ type: z.literal("object") }).optional(),
          strict: z.boolean().nullish(),
        }),
      }),
    )
    .min(1)
    .max(128)
    .optional(),
  tool_choice: z
    .union([
      z.enum(["auto", "none", "required"]),
      z.strictObject({ type: z.literal("function"), function: z.strictObject({ name: toolName }) }),
    ])
    .optional(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  max_tokens: z.int().positive().nullish(),
  max_completion_tokens: z.int().positive().nullish(),
  stop: z.union([text, z.array(text).min(1).max(4)]).nullish(),
  user: text.optional(),
});
type ChatBody = z.infer<typeof bodySchema>;

/** `POST /v1/chat/completions` (platform.openai.com/docs/api-reference/chat/create). */
export function answerChat(
  request: SimulatorRequest,
  book: ChatScriptBook,
  known: readonly string[] = chatModels,
): SimulatorAnswer {
  const parsed = bodySchema.safeParse(parseJson(request.body));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const param = issue?.path.join(".") ?? null;
    return refusal(400, `Invalid value for '${param}': ${issue?.message}`, "invalid_value", param);
  }
  const { data: body } = parsed;
  const refused = refuse(body, known);
  if (refused !== null) return refused;
  return playScript(request, book, seenOf(body), chatFormat(body));
}

function chatFormat({ model, stream_options }: ChatBody): ChatFormat {
  const withUsage = stream_options?.include_usage === true;
  return {
    contentType: "text/event-stream; charset=utf-8",
    cacheKey: `${model} ${withUsage}`,
    refuse: failureOf,
    whole: (answer) => completion(model, answer),
    writer: (answer) => writerOf(model, answer, withUsage),
  };
}

function refuse(body: ChatBody, known: readonly string[]): SimulatorAnswer | null {
  if (!known.includes(body.model)) {
    return refusal(
      404,
      `The model \`${body.model}\` does not exist or you do not have access to it.`,
      "model_not_found",
    );
  }
  if (body.tool_choice !== undefined && body.tools === undefined)
    return refusal(400, "'tool_choice' is only allowed when 'tools' are specified.", null, "tool_choice");
  if (body.stream_options != null && body.stream !== true)
    return refusal(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  const asked = new Set<string>();
  for (const one of body.messages) {
    if (one.role === "assistant") for (const call of one.tool_calls ?? []) asked.add(call.id);
    if (one.role === "assistant" && one.content == null && one.tool_calls === undefined)
      return refusal(400, "Invalid value for 'content': expected a string, got null.", null, "messages");
    if (one.role === "tool" && !asked.has(one.tool_call_id)) {
      return refusal(
        400,
        "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
      );
    }
  }
  const tokens = countTokens(JSON.stringify(body.messages));
  return tokens > contextTokens ? tooLong(tokens) : null;
}

function tooLong(tokens: number): SimulatorAnswer {
  const message = `This model's maximum context length is ${contextTokens} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`;
  return refusal(400, message, "context_length_exceeded", "messages");
}

function failureOf(kind: Parameters<ChatFormat["refuse"]>[0]): SimulatorAnswer {
  switch (kind) {
    case "context-length":
      return tooLong(200_000);
    case "rate-limited":
      return {
        ...refusal(429, "Rate limit reached for requests.", "rate_limit_exceeded"),
        headers: { "retry-after": "1" },
      };
    case "quota-exhausted": {
      const message = "You exceeded your current quota, please check your plan and billing details.";
      const code = "insufficient_quota";
      return { status: 429, body: { error: { message, type: code, param: null, code } } };
    }
    case "overloaded":
      return refusal(503, "The engine is currently overloaded, please try again later.");
  }
}

function finishReason(answer: WholeAnswer): string {
  if (answer.end === "filtered") return "content_filter";
  if (answer.end === "length") return "length";
  return (answer.toolCalls?.length ?? 0) > 0 ? "tool_calls" : "stop";
}

function usageOf({ usage }: WholeAnswer) {
  const { inputTokens, outputTokens } = usage;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
}

const created = 1_700_000_000;
let answers = 0;

function argumentsText(given: object | string): string {
  return typeof given === "string" ? given : JSON.stringify(given);
}

function completion(model: string, answer: WholeAnswer): object {
  const calls = (answer.toolCalls ?? []).map((call, index) => ({
    id: `call_${answers}_${index}`,
    type: "function",
    function: { name: call.name, arguments: argumentsText(call.arguments) },
  }));
  const content = (answer.texts ?? []).join("");
  answers += 1;
  return {
    id: `chatcmpl-${answers}`,
    object: "chat.completion",
    created,
    model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: content === "" && calls.length > 0 ? null : content,
          refusal: null,
          ...(calls.length > 0 && { tool_calls: calls }),
        },
        logprobs: null,
        finish_reason: finishReason(answer),
      },
    ],
    usage: usageOf(answer),
  };
}

function writerOf(model: string, answer: WholeAnswer, withUsage: boolean): StreamWriter {
  answers += 1;
  const id = `chatcmpl-${answers}`;
  const head = { id, object: "chat.completion.chunk", created, model, system_fingerprint: "fp_simulator" };
  const frame = (choices: object[], usage: object | null = null) =>
    `data: ${JSON.stringify({ ...head, choices, ...(withUsage && { usage }) })}\n\n`;
  const delta = (content: object, finish_reason: string | null = null) =>
    frame([{ index: 0, delta: content, logprobs: null, finish_reason }]);
  return {
    begin: () => delta({ role: "assistant", content: "", refusal: null }),
    text: (content) => delta({ content }),
    end: () =>
      [
        ...(answer.toolCalls ?? []).flatMap((call, index) =>
          toolFrames(call, index, id).map((one) => delta(one)),
        ),
        delta({}, finishReason(answer)),
        ...(withUsage ? [frame([], usageOf(answer))] : []),
        "data: [DONE]\n\n",
      ].join(""),
    error: () =>
      `data: ${JSON.stringify(openaiError(500, "The server had an error while processing your request."))}\n\n`,
    malformed: () => 'data: {"id":"chatcmpl-1","choices":[{"ind\n\n',
  };
}

/** As the real API does it: first who is called, then the arguments in small pieces. */
function toolFrames(call: { name: string; arguments: object | string }, index: number, id: string): object[] {
  const pieces = argumentsText(call.arguments).match(/[\s\S]{1,5}/g) ?? [];
  const first = {
    index,
    id: `call_${id}_${index}`,
    type: "function",
    function: { name: call.name, arguments: "" },
  };
  return [
    { tool_calls: [first] },
    ...pieces.map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ];
}

function seenOf(body: ChatBody): SeenRequest {
  return {
    model: body.model,
    messages: body.messages.map((one) => ({ role: one.role, text: textOf(one.content) })),
    tools: (body.tools ?? []).map((tool) => tool.function.name),
    stream: body.stream === true,
  };
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => ("text" in part ? String(part.text) : "")).join("");
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

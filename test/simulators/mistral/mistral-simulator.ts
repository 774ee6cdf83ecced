import { z } from "zod";
import {
  type ChatFormat,
  type ChatScript,
  type ChatScriptBook,
  chatScriptBook,
  playScript,
  type StreamWriter,
  type WholeAnswer,
} from "../chat-script.ts";
import { type Simulator, type SimulatorAnswer, type SimulatorRequest, startSimulator } from "../simulator.ts";

export const mistralModel = "mistral-large-latest";

const textChunk = z.strictObject({ type: z.literal("text"), text: z.string() });
const imageChunk = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.union([z.string(), z.looseObject({})]),
});
const toolCall = z.strictObject({
  id: z.string().regex(/^[a-zA-Z0-9]{9}$/, "Tool call id must be a-z, A-Z, 0-9, with a length of 9."),
  type: z.literal("function").optional(),
  function: z.strictObject({ name: z.string().min(1), arguments: z.union([z.string(), z.looseObject({})]) }),
  index: z.int().optional(),
});
const message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("system"), content: z.union([z.string(), z.array(textChunk)]) }),
  z.strictObject({
    role: z.literal("user"),
    content: z.union([z.string(), z.array(z.union([textChunk, imageChunk]))]),
  }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.union([z.string(), z.array(textChunk)]).nullish(),
    tool_calls: z.array(toolCall).nullish(),
    prefix: z.boolean().optional(),
  }),
  z.strictObject({
    role: z.literal("tool"),
    content: z.union([z.string(), z.array(textChunk)]),
    tool_call_id: z.string(),
    name: z.string().optional(),
  }),
]);
const bodySchema = z.strictObject({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().optional(),
  temperature: z.number().min(0).max(1.5).nullish(),
  top_p: z.number().min(0).max(1).optional(),
  max_tokens: z.int().min(0).nullish(),
  stop: z.union([z.string(), z.array(z.string())]).optional(),
  safe_prompt: z.boolean().optional(),
  random_seed: z.int().nullish(),
  parallel_tool_calls: z.boolean().optional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal("function").optional(),
        function: z.strictObject({
          name: z.string().min(1),
          description: z.string().optional(),
          parameters: z.looseObject({ type: z.literal("object") }),
          strict: z.boolean().optional(),
        }),
      }),
    )
    .min(1)
    .nullish(),
  tool_choice: z
    .union([
      z.enum(["auto", "none", "any", "required"]),
      z.strictObject({
        type: z.literal("function").optional(),
        function: z.strictObject({ name: z.string() }),
      }),
    ])
    .optional(),
});
type ChatBody = z.infer<typeof bodySchema>;

/** `POST /v1/chat/completions` and `GET /v1/models` of Mistral (docs.mistral.ai/api), with one model. */
export async function startMistralSimulator(apiKey: string): Promise<Simulator & { chat: ChatScript }> {
  const chat = chatScriptBook();
  const withKey = (answer: (request: SimulatorRequest) => SimulatorAnswer) => (request: SimulatorRequest) =>
    request.headers.authorization === `Bearer ${apiKey}`
      ? answer(request)
      : { status: 401, body: { detail: `Unauthorized: ${request.headers.authorization}` } };
  const simulator = await startSimulator({
    routes: [
      {
        method: "POST",
        path: /^\/v1\/chat\/completions$/,
        handle: withKey((request) => answerChat(request, chat)),
      },
      {
        method: "GET",
        path: /^\/v1\/models$/,
        handle: withKey(() => ({
          status: 200,
          body: {
            object: "list",
            data: [
              {
                id: mistralModel,
                object: "model",
                type: "base",
                created,
                owned_by: "mistralai",
                capabilities: {},
              },
            ],
          },
        })),
      },
    ],
    errorBody: (status, message) => mistralError(status, message),
  });
  return { ...simulator, chat };
}

function answerChat(request: SimulatorRequest, book: ChatScriptBook): SimulatorAnswer {
  const parsed = bodySchema.safeParse(JSON.parse(request.body.toString()));
  if (!parsed.success) {
    const detail = parsed.error.issues.map(({ path, message: msg }) => ({ loc: ["body", ...path], msg }));
    return { status: 422, body: { object: "error", message: { detail }, type: "invalid_request_error" } };
  }
  const { data: body } = parsed;
  if (body.model !== mistralModel) return refuse(400, `Invalid model: ${body.model}`, "invalid_model");
  const last = body.messages.at(-1);
  if (last?.role !== "user" && last?.role !== "tool") {
    return refuse(
      400,
      `Expected last role User or Tool (or Assistant with prefix True) for serving but got ${last?.role}`,
    );
  }
  const seen = {
    model: body.model,
    messages: body.messages.map(({ role, content }) => ({ role, text: textOf(content) })),
    tools: (body.tools ?? []).map((tool) => tool.function.name),
    stream: body.stream === true,
  };
  return playScript(request, book, seen, formatOf(body));
}

const created = 1_700_000_000;
let answers = 0;

function formatOf({ model }: ChatBody): ChatFormat {
  answers += 1;
  const head = { id: `cmpl-${answers}`, created, model };
  return {
    contentType: "text/event-stream; charset=utf-8",
    refuse(kind) {
      switch (kind) {
        case "context-length":
          return refuse(
            400,
            "Prompt contains 140000 tokens, too large for model with 131072 maximum context length",
          );
        case "rate-limited":
          return { ...refuse(429, "Requests rate limit exceeded"), headers: { "retry-after": "1" } };
        case "quota-exhausted":
          return refuse(402, "You have exceeded your credit limit");
        case "overloaded":
          return refuse(503, "Service unavailable");
      }
    },
    whole: (answer) => ({
      ...head,
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: (answer.texts ?? []).join(""), tool_calls: callsOf(answer) },
          finish_reason: finishReason(answer),
        },
      ],
      usage: usageOf(answer),
    }),
    writer: (answer) => writerOf(head, answer),
  };
}

function writerOf(head: object, answer: WholeAnswer): StreamWriter {
  const frame = (delta: object, finish_reason: string | null = null, more: object = {}) =>
    `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }], ...more })}\n\n`;
  const calls = callsOf(answer);
  return {
    begin: () => frame({ role: "assistant", content: "" }),
    text: (content) => frame({ content }),
    // Mistral sends whole calls, with the end.
    end: () =>
      `${frame({ content: "", ...(calls === null ? {} : { tool_calls: calls }) }, finishReason(answer), {
        usage: usageOf(answer),
      })}data: [DONE]\n\n`,
    error: () => `data: ${JSON.stringify(mistralError(500, "Internal server error"))}\n\n`,
    malformed: () => 'data: {"id":"cmpl-1","choices":[{"ind\n\n',
  };
}

function callsOf({ toolCalls = [] }: WholeAnswer) {
  if (toolCalls.length === 0) return null;
  return toolCalls.map(({ name, arguments: given }, index) => ({
    id: `call${String(answers % 10_000).padStart(4, "0")}${index}`,
    index,
    function: { name, arguments: typeof given === "string" ? given : JSON.stringify(given) },
  }));
}

function finishReason(answer: WholeAnswer): string {
  if (answer.end === "filtered") return "error";
  if (answer.end === "length") return "length";
  return (answer.toolCalls?.length ?? 0) > 0 ? "tool_calls" : "stop";
}

function usageOf({ usage: { inputTokens, outputTokens } }: WholeAnswer) {
  const total_tokens = inputTokens + outputTokens;
  return { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens };
}

function mistralError(status: number, message: string, type = "invalid_request_error"): object {
  return { object: "error", message, type, param: null, code: String(status) };
}

function refuse(status: number, message: string, type?: string): SimulatorAnswer {
  return { status, body: mistralError(status, message, type) };
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => ("text" in part ? String(part.text) : "")).join("");
}

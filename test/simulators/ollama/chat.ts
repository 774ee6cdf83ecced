import { z } from "zod";
import { type ChatFormat, type ChatScriptBook, playScript, type WholeAnswer } from "../chat-script.ts";
import type { SimulatorAnswer, SimulatorRequest } from "../simulator.ts";

export const ollamaChatModel = "llama3.2:latest";

const toolCall = z.strictObject({
  id: z.string().optional(),
  function: z.strictObject({
    index: z.int().optional(),
    name: z.string(),
    arguments: z.record(z.string(), z.unknown()),
  }),
});
const message = z.strictObject({
  role: z.enum(["system", "user", "assistant", "tool"]),
  content: z.string(),
  thinking: z.string().optional(),
  images: z.array(z.base64()).optional(),
  tool_calls: z.array(toolCall).optional(),
  tool_name: z.string().optional(),
});
const bodySchema = z.strictObject({
  model: z.string(),
  messages: z.array(message),
  stream: z.boolean().default(true),
  think: z.union([z.boolean(), z.enum(["low", "medium", "high"])]).optional(),
  keep_alive: z.union([z.string(), z.number()]).optional(),
  format: z.unknown().optional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal("function"),
        function: z.strictObject({
          name: z.string(),
          description: z.string(),
          parameters: z.looseObject({ type: z.literal("object") }),
        }),
      }),
    )
    .optional(),
  options: z
    .strictObject({
      num_ctx: z.int().positive().optional(),
      num_predict: z.int().optional(),
      temperature: z.number().optional(),
      top_p: z.number().optional(),
      top_k: z.int().optional(),
      seed: z.int().optional(),
      stop: z.array(z.string()).optional(),
    })
    .optional(),
});

/** `POST /api/chat` (docs.ollama.com/api/chat): lines of JSON, and no keys. */
export function answerOllamaChat(request: SimulatorRequest, book: ChatScriptBook): SimulatorAnswer {
  const parsed = bodySchema.safeParse(JSON.parse(request.body.toString()));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { status: 400, body: { error: `${issue?.path.join(".")}: ${issue?.message}` } };
  }
  const { model, messages, tools = [], stream } = parsed.data;
  if (!/^llama3\.2(:latest)?$/.test(model))
    return { status: 404, body: { error: `model '${model}' not found` } };
  const seen = {
    model,
    messages: messages.map(({ role, content }) => ({ role, text: content })),
    tools: tools.map((tool) => tool.function.name),
    stream,
  };
  return playScript(request, book, seen, formatOf(model));
}

function formatOf(model: string): ChatFormat {
  const head = { model, created_at: "2026-01-01T00:00:00.000000Z" };
  const line = (content: string, more: object = { done: false }) =>
    `${JSON.stringify({ ...head, message: { role: "assistant", content }, ...more })}\n`;
  return {
    contentType: "application/x-ndjson",
    refuse(kind) {
      if (kind === "context-length")
        return { status: 400, body: { error: "the prompt exceeds the context length" } };
      if (kind === "rate-limited")
        return { status: 429, headers: { "retry-after": "1" }, body: { error: "too many requests" } };
      if (kind === "quota-exhausted") return { status: 402, body: { error: "usage limit reached" } };
      return {
        status: 503,
        body: { error: "server busy, please try again. maximum pending requests exceeded" },
      };
    },
    whole: (answer) => ({
      ...head,
      message: {
        role: "assistant",
        content: (answer.texts ?? []).join(""),
        ...(callsOf(answer).length > 0 && { tool_calls: callsOf(answer) }),
      },
      ...doneOf(answer),
    }),
    writer: (answer) => ({
      begin: () => "",
      text: (piece) => line(piece),
      end: () =>
        (callsOf(answer).length === 0
          ? ""
          : `${JSON.stringify({ ...head, message: { role: "assistant", content: "", tool_calls: callsOf(answer) }, done: false })}\n`) +
        line("", doneOf(answer)),
      error: () => `${JSON.stringify({ error: "an error was encountered while running the model" })}\n`,
      malformed: () => '{"model":"llama3.2","mess\n',
    }),
  };
}

function callsOf({ toolCalls = [] }: WholeAnswer): object[] {
  return toolCalls.map(({ name, arguments: given }, index) => ({
    function: { index, name, arguments: typeof given === "string" ? JSON.parse(given) : given },
  }));
}

function doneOf({ end, usage }: WholeAnswer): object {
  return {
    done: true,
    done_reason: end === "length" ? "length" : "stop",
    total_duration: 1_000_000,
    load_duration: 1_000,
    prompt_eval_count: usage.inputTokens,
    prompt_eval_duration: 1_000,
    eval_count: usage.outputTokens,
    eval_duration: 1_000,
  };
}

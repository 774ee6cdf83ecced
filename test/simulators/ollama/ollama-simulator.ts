import { z } from "zod";
import { type ChatScript, chatScriptBook } from "../chat-script.ts";
import { countTokens, stubDimensions } from "../embed-text.ts";
import { type Simulator, type SimulatorAnswer, type SimulatorRequest, startSimulator } from "../simulator.ts";
import { stubVectors } from "../stub-vectors.ts";
import { answerOllamaChat, ollamaChatModel } from "./chat.ts";

const bodySchema = z.strictObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string())]),
  truncate: z.boolean().optional(),
  dimensions: z.int().positive().optional(),
  keep_alive: z.union([z.string(), z.number()]).optional(),
  options: z.record(z.string(), z.unknown()).optional(),
});

const contextTokens = 2_048;

/** `POST /api/embed` (docs.ollama.com/api/embed) with `all-minilm`, chat with `llama3.2`. Ollama itself knows no keys. */
export async function startOllamaSimulator(): Promise<Simulator & { chat: ChatScript }> {
  const chat = chatScriptBook();
  const models = ["all-minilm:latest", ollamaChatModel].map((name) => ({ name, model: name }));
  const simulator = await startSimulator({
    routes: [
      { method: "POST", path: /^\/api\/embed$/, handle: answerEmbed },
      { method: "POST", path: /^\/api\/chat$/, handle: (request) => answerOllamaChat(request, chat) },
      { method: "GET", path: /^\/api\/tags$/, handle: () => ({ status: 200, body: { models } }) },
    ],
    errorBody: (_status, message) => ({ error: message }),
  });
  return { ...simulator, chat };
}

function answerEmbed({ body, fault }: SimulatorRequest): SimulatorAnswer {
  const parsed = bodySchema.safeParse(JSON.parse(body.toString()));
  if (!parsed.success) return { status: 400, body: { error: "invalid request" } };
  const { model, input, truncate = true, dimensions } = parsed.data;
  if (!/^all-minilm(:latest)?$/.test(model)) {
    return { status: 404, body: { error: `model "${model}" not found, try pulling it first` } };
  }
  const texts = typeof input === "string" ? [input] : input;
  if (!truncate && texts.some((text) => countTokens(text) > contextTokens)) {
    return { status: 400, body: { error: "the input length exceeds the context length" } };
  }
  const embeddings = stubVectors(texts, Math.min(dimensions ?? stubDimensions, stubDimensions), fault);
  return {
    status: 200,
    body: {
      model,
      embeddings: embeddings.map((vector) => Array.from(vector)),
      total_duration: 14_143_917,
      load_duration: 1_019_500,
      prompt_eval_count: texts.reduce((sum, text) => sum + countTokens(text), 0),
    },
  };
}

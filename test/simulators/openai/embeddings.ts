import { z } from "zod";
import { base64Of, countTokens, stubDimensions } from "../embed-text.ts";
import type { SimulatorAnswer, SimulatorRequest } from "../simulator.ts";
import { stubVectors } from "../stub-vectors.ts";
import { refusal } from "./openai-errors.ts";

const text = z.string().min(1);

const bodySchema = z.strictObject({
  model: z.string(),
  input: z.union([text, z.array(text).min(1).max(2048)]),
  encoding_format: z.enum(["float", "base64"]).default("float"),
  dimensions: z.int().positive().max(stubDimensions).optional(),
  user: z.string().optional(),
});

const maxTokensPerInput = 8_192;
const maxTokensPerRequest = 300_000;

/** `POST /v1/embeddings` (platform.openai.com/docs/api-reference/embeddings/create). */
export function answerEmbeddings({ body, fault }: SimulatorRequest): SimulatorAnswer {
  const parsed = bodySchema.safeParse(parseJson(body));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const param = issue?.path.join(".") ?? null;
    return refusal(400, `'$.${param}' is invalid: ${issue?.message}`, null, param);
  }
  const { model, input, encoding_format, dimensions } = parsed.data;
  const texts = typeof input === "string" ? [input] : input;
  const refused = refuseModel(model, dimensions) ?? refuseSize(texts);
  if (refused !== null) return refused;
  const tokens = texts.reduce((sum, item) => sum + countTokens(item), 0);
  const data = stubVectors(texts, dimensions ?? stubDimensions, fault).map((vector, index) => ({
    object: "embedding",
    index,
    embedding: encoding_format === "base64" ? base64Of(vector) : Array.from(vector),
  }));
  return {
    status: 200,
    body: { object: "list", data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } },
  };
}

function refuseModel(model: string, dimensions: number | undefined): SimulatorAnswer | null {
  if (!["text-embedding-3-small", "text-embedding-ada-002"].includes(model)) {
    return refusal(
      404,
      `The model '${model}' does not exist or you do not have access to it.`,
      "model_not_found",
    );
  }
  if (model === "text-embedding-ada-002" && dimensions !== undefined) {
    return refusal(400, "This model does not support specifying dimensions.", null, "dimensions");
  }
  return null;
}

function refuseSize(texts: readonly string[]): SimulatorAnswer | null {
  const counts = texts.map(countTokens);
  const longest = Math.max(...counts);
  if (longest > maxTokensPerInput) {
    return refusal(
      400,
      `This model's maximum context length is ${maxTokensPerInput} tokens, however you requested ${longest} tokens.`,
    );
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total > maxTokensPerRequest) {
    return refusal(
      400,
      `Requested ${total} tokens, max ${maxTokensPerRequest} tokens per request`,
      "max_tokens_per_request",
    );
  }
  return null;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

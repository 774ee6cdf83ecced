import { z } from "zod";
import { base64Of, countTokens, stubDimensions } from "../embed-text.ts";
import { type Simulator, type SimulatorAnswer, type SimulatorRequest, startSimulator } from "../simulator.ts";
import { stubVectors } from "../stub-vectors.ts";

const bodySchema = z.strictObject({
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(1_000)]),
  model: z.string(),
  input_type: z.enum(["query", "document"]).nullish(),
  truncation: z.boolean().optional(),
  encoding_format: z.literal("base64").nullish(),
  output_dimension: z.int().max(stubDimensions).nullish(),
  output_dtype: z.literal("float").optional(),
});

const maxTokens = 120_000;

/** `POST /v1/embeddings` (docs.voyageai.com/reference/embeddings-api); model `voyage-3-large` with 384 dimensions. */
export async function startVoyageSimulator(apiKey: string): Promise<Simulator> {
  return await startSimulator({
    routes: [
      {
        method: "POST",
        path: /^\/v1\/embeddings$/,
        handle: (request) =>
          request.headers.authorization === `Bearer ${apiKey}`
            ? answerEmbeddings(request)
            : refuse(401, "Provided API key is invalid."),
      },
    ],
    errorBody: (_status, message) => ({ detail: message }),
  });
}

function answerEmbeddings({ body, fault }: SimulatorRequest): SimulatorAnswer {
  const parsed = bodySchema.safeParse(JSON.parse(body.toString()));
  if (!parsed.success) return refuse(400, parsed.error.issues[0]?.message ?? "invalid request");
  const { input, model, encoding_format, output_dimension: dimensions } = parsed.data;
  if (model !== "voyage-3-large") return refuse(400, `Model ${model} is not supported.`);
  const texts = typeof input === "string" ? [input] : input;
  const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
  if (tokens > maxTokens) {
    return refuse(
      400,
      `The max allowed tokens per submitted batch is ${maxTokens}. Your batch has ${tokens} tokens.`,
    );
  }
  const data = stubVectors(texts, dimensions ?? stubDimensions, fault).map((vector, index) => ({
    object: "embedding",
    embedding: encoding_format === "base64" ? base64Of(vector) : Array.from(vector),
    index,
  }));
  return { status: 200, body: { object: "list", data, model, usage: { total_tokens: tokens } } };
}

function refuse(status: number, detail: string): SimulatorAnswer {
  return { status, body: { detail } };
}

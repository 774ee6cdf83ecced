import { z } from "zod";
import { base64Of, countTokens, stubDimensions } from "../embed-text.ts";
import { answerRerank } from "../rerank/rerank-simulator.ts";
import {
  type Route,
  type Simulator,
  type SimulatorAnswer,
  type SimulatorRequest,
  startSimulator,
} from "../simulator.ts";
import { stubVectors } from "../stub-vectors.ts";

const bodySchema = z.strictObject({
  model: z.string(),
  input_type: z.enum(["search_document", "search_query", "classification", "clustering"]),
  texts: z.array(z.string()).min(1).max(96, "invalid request: total number of texts must be at most 96"),
  embedding_types: z.array(z.enum(["float", "base64"])).optional(),
  output_dimension: z.int().max(stubDimensions).optional(),
  truncate: z.enum(["NONE", "START", "END"]).optional(),
  max_tokens: z.int().optional(),
  priority: z.int().optional(),
});

/** `POST /v2/embed` and `POST /v2/rerank` (docs.cohere.com/reference); model `embed-v4.0` with 384 dimensions. */
export async function startCohereSimulator(apiKey: string): Promise<Simulator> {
  const withKey =
    (handle: Route["handle"]): Route["handle"] =>
    (request) =>
      request.headers.authorization === `Bearer ${apiKey}`
        ? handle(request)
        : refuse(401, "invalid api token");
  return await startSimulator({
    routes: [
      { method: "POST", path: /^\/v2\/embed$/, handle: withKey(answerEmbed) },
      { method: "POST", path: /^\/v2\/rerank$/, handle: withKey(answerRerank) },
    ],
    errorBody: (_status, message) => ({ id: "simulated", message }),
  });
}

function answerEmbed({ body, fault }: SimulatorRequest): SimulatorAnswer {
  const parsed = bodySchema.safeParse(JSON.parse(body.toString()));
  if (!parsed.success) return refuse(400, parsed.error.issues[0]?.message ?? "invalid request");
  const { model, texts, embedding_types: types = ["float"], output_dimension: dimensions } = parsed.data;
  if (model !== "embed-v4.0") return refuse(404, `model '${model}' not found`);
  const vectors = stubVectors(texts, dimensions ?? stubDimensions, fault);
  return {
    status: 200,
    body: {
      id: "simulated",
      texts,
      embeddings: {
        ...(types.includes("float") && { float: vectors.map((vector) => Array.from(vector)) }),
        ...(types.includes("base64") && { base64: vectors.map(base64Of) }),
      },
      meta: {
        api_version: { version: "2" },
        billed_units: { input_tokens: texts.reduce((sum, text) => sum + countTokens(text), 0) },
      },
      response_type: "embeddings_by_type",
    },
  };
}

function refuse(status: number, message: string): SimulatorAnswer {
  return { status, body: { id: "simulated", message } };
}

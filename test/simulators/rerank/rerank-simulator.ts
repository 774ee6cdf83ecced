import { z } from "zod";
import { embedText } from "../embed-text.ts";
import { type Simulator, type SimulatorAnswer, type SimulatorRequest, startSimulator } from "../simulator.ts";

const cohereSchema = z.strictObject({
  model: z.string(),
  query: z.string().min(1),
  documents: z.array(z.string()).min(1).max(1_000, "too many documents"),
  top_n: z.int().positive().optional(),
  return_documents: z.boolean().optional(),
  max_tokens_per_doc: z.int().optional(),
});

const teiSchema = z.strictObject({
  query: z.string().min(1),
  texts: z.array(z.string()).min(1).max(1_000, "batch size > maximum allowed batch size"),
  truncate: z.boolean().optional(),
  truncation_direction: z.string().optional(),
  raw_scores: z.boolean().optional(),
  return_text: z.boolean().optional(),
});

/**
 * `POST /v1/rerank` in the shape of Cohere, Jina and vLLM, and `POST /rerank` of text-embeddings-inference. A score is
 * how many features question and passage share.
 */
export async function startRerankSimulator(apiKey: string): Promise<Simulator> {
  const withKey = (handle: (request: SimulatorRequest) => SimulatorAnswer) => (request: SimulatorRequest) =>
    request.headers.authorization === `Bearer ${apiKey}`
      ? handle(request)
      : { status: 401, body: { detail: "Unauthorized" } };
  return await startSimulator({
    routes: [
      { method: "POST", path: /^\/v1\/rerank$/, handle: withKey(answerRerank) },
      { method: "POST", path: /^\/rerank$/, handle: withKey(answerTei) },
    ],
    errorBody: (_status, message) => ({ message }),
  });
}

export function answerRerank({ body, fault }: SimulatorRequest): SimulatorAnswer {
  const parsed = cohereSchema.safeParse(JSON.parse(body.toString()));
  if (!parsed.success) return { status: 400, body: { message: parsed.error.issues[0]?.message } };
  const { query, documents, top_n } = parsed.data;
  const results = ranked(query, documents)
    .slice(0, top_n)
    .map(({ index, score }) => ({
      index: fault?.kind === "wrong-count" ? index + documents.length : index,
      relevance_score: fault?.kind === "nan" ? null : score,
    }));
  return { status: 200, body: { id: "simulated", results, meta: { billed_units: { search_units: 1 } } } };
}

function answerTei({ body }: SimulatorRequest): SimulatorAnswer {
  const parsed = teiSchema.safeParse(JSON.parse(body.toString()));
  if (!parsed.success)
    return { status: 422, body: { error: parsed.error.issues[0]?.message, error_type: "Validation" } };
  const { query, texts, raw_scores } = parsed.data;
  return {
    status: 200,
    body: ranked(query, texts).map(({ index, score }) => ({
      index,
      score: raw_scores ? 20 * score - 10 : score,
    })),
  };
}

function ranked(query: string, passages: readonly string[]): { index: number; score: number }[] {
  const question = embedText(query);
  const scores = passages.map((passage, index) => {
    const vector = embedText(passage);
    const cosine = question.reduce((sum, value, i) => sum + value * (vector[i] ?? 0), 0);
    return { index, score: Math.max(0, Math.min(1, cosine)) };
  });
  return scores.sort((a, b) => b.score - a.score);
}

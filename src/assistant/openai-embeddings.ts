import type { App } from "../context.ts";
import { Problem } from "../http/problem.ts";
import { countTokens } from "../models/tokens.ts";
import { asProblem } from "./model-problem.ts";
import type { EmbeddingRequest } from "./openai.schemas.ts";

/** Texts as vectors of the installation's embedding model, which is the one that searches use. */
export async function createEmbeddings(app: App, request: EmbeddingRequest, signal: AbortSignal) {
  const { embedding } = app;
  if (embedding === null) {
    throw new Problem("conflict", "No embedding model is configured. Set EMBEDDING_PROVIDER.", {
      details: [{ path: "body.model", message: "there is no embedding model" }],
    });
  }
  const texts = typeof request.input === "string" ? [request.input] : request.input;
  let vectors: Float32Array[];
  try {
    vectors = await embedding.embedDocuments(texts, signal, () => undefined);
  } catch (error) {
    throw asEmbeddingProblem(asProblem(error, signal));
  }
  const size = vectors[0]?.length ?? 0;
  if (typeof request.dimensions === "number" && request.dimensions !== size) {
    throw new Problem("invalid_request", `body.dimensions: the model's vectors have ${size}.`, {
      details: [{ path: "body.dimensions", message: `must be ${size}, or left out` }],
    });
  }
  const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
  return {
    object: "list" as const,
    data: vectors.map((vector, index) => ({
      object: "embedding" as const,
      index,
      embedding: request.encoding_format === "base64" ? toBase64(vector) : [...vector],
    })),
    model: embedding.id,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString("base64");
}

function asEmbeddingProblem(error: unknown): unknown {
  if (!(error instanceof Problem)) return error;
  const message = error.message.replace("language model", "embedding model");
  return new Problem(error.code, message, error.options);
}

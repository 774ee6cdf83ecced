import type { z } from "zod";
import { postJson } from "./call-provider.ts";
import type { EmbedderOptions } from "./embedder-options.ts";
import { badVectors } from "./read-vectors.ts";

/** A vendor's request for vectors. */
interface Question {
  url: string;
  headers: Record<string, string>;
  json: object;
  signal: AbortSignal | undefined;
}

const TIMEOUT_MS = 60_000;

/**
 * Asks a vendor for vectors, and reads the frame of its answer.
 *
 * @throws ProviderError
 */
export async function askEmbedder<Answer>(
  provider: string,
  { apiKey, fetch: own, timeoutMs = TIMEOUT_MS }: EmbedderOptions,
  question: Question,
  schema: z.ZodType<Answer>,
): Promise<Answer> {
  const secrets = [apiKey ?? ""];
  const json = await postJson({ provider, fetch: own ?? fetch, ...question, timeoutMs, secrets });
  const answer = schema.safeParse(json);
  if (!answer.success) throw badVectors(provider, "sent something that is no embedding answer", true);
  return answer.data;
}

import { z } from "zod";
import { type ChatScript, chatScriptBook } from "../chat-script.ts";
import { stubDimensions } from "../embed-text.ts";
import { type Simulator, type SimulatorAnswer, type SimulatorRequest, startSimulator } from "../simulator.ts";
import { stubVectors } from "../stub-vectors.ts";
import { answerGenerate, googleChatModel } from "./generate-content.ts";
import { googleError, refuse, wrongKey } from "./google-errors.ts";

const requestSchema = z.strictObject({
  model: z.string(),
  content: z.strictObject({
    role: z.string().optional(),
    parts: z.array(z.strictObject({ text: z.string() })).min(1),
  }),
  taskType: z.enum(["RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY"]).optional(),
  title: z.string().optional(),
  outputDimensionality: z.int().max(stubDimensions).optional(),
});

const bodySchema = z.strictObject({
  requests: z.array(requestSchema).max(100, "at most 100 requests can be in one batch"),
});

/** Beside chat and the list of models: `models/{model}:batchEmbedContents`, under `v1beta` as documented or `v1` as the client asks, of the Gemini API (ai.google.dev/api/embeddings), 384 dimensions. */
export async function startGoogleSimulator(apiKey: string): Promise<Simulator & { chat: ChatScript }> {
  const chat = chatScriptBook();
  const hasKey = (request: SimulatorRequest) => request.headers["x-goog-api-key"] === apiKey;
  const simulator = await startSimulator({
    routes: [
      {
        method: "POST",
        path: /^\/v1(beta)?\/models\/(?<model>[^/:]+):(?<verb>generateContent|streamGenerateContent)$/,
        handle: (request) => (hasKey(request) ? answerGenerate(request, chat) : wrongKey),
      },
      {
        method: "GET",
        path: /^\/v1(beta)?\/models$/,
        handle: (request) =>
          hasKey(request)
            ? { status: 200, body: { models: [{ name: `models/${googleChatModel}` }] } }
            : wrongKey,
      },
      {
        method: "POST",
        path: /^\/v1(beta)?\/models\/(?<model>[^/:]+):batchEmbedContents$/,
        handle: (request) => (hasKey(request) ? answerBatch(request) : wrongKey),
      },
    ],
    errorBody: googleError,
  });
  return { ...simulator, chat };
}

function answerBatch({ body, params, fault }: SimulatorRequest): SimulatorAnswer {
  const parsed = bodySchema.safeParse(JSON.parse(body.toString()));
  if (!parsed.success) return refuse(400, `* BatchEmbedContentsRequest: ${parsed.error.issues[0]?.message}`);
  const { requests } = parsed.data;
  if (!/^gemini-embedding-/.test(params.model ?? ""))
    return refuse(404, `models/${params.model} is not found`);
  if (requests.some(({ model }) => model !== `models/${params.model}`)) {
    return refuse(400, "* BatchEmbedContentsRequest.requests[0].model: must match the batch model");
  }
  const texts = requests.map(({ content }) => content.parts.map((part) => part.text).join(""));
  const dimensions = requests[0]?.outputDimensionality ?? stubDimensions;
  return {
    status: 200,
    body: {
      embeddings: stubVectors(texts, dimensions, fault).map((vector) => ({ values: Array.from(vector) })),
    },
  };
}

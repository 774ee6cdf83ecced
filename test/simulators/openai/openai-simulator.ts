import { type ChatScript, type ChatScriptOptions, chatScriptBook } from "../chat-script.ts";
import {
  type Route,
  type Simulator,
  type SimulatorAnswer,
  type SimulatorRequest,
  startSimulator,
} from "../simulator.ts";
import { answerChat, chatModels } from "./chat-completions.ts";
import { answerEmbeddings } from "./embeddings.ts";
import { openaiError, refusal } from "./openai-errors.ts";
import { answerTranscription } from "./transcriptions.ts";

export type OpenaiSimulatorOptions = {
  port?: number;
  apiKey?: string;
  /** Waited before each answer, as a network and a model would. */
  delayMs?: number;
  /** Keeps every request for tests to look at. Default true; a process that serves a benchmark would only grow. */
  record?: boolean;
  /** What the chat models answer when a test scripts nothing. Default: 64 pieces without delay. */
  chat?: ChatScriptOptions["fallback"];
};

/** With what its chat models shall say, and did. */
export type OpenaiSimulator = Simulator & { chat: ChatScript };

export const simulatorKey = "sk-simulator-0123456789";

/**
 * A deterministic stand-in for the OpenAI API and for what calls itself compatible: key check, strict bodies, and the
 * documented errors. Models: `text-embedding-3-small` (384 dimensions here, any smaller number on request),
 * `text-embedding-ada-002` (384, fixed), `whisper-1`, `gpt-4o-transcribe`, and for chat `stub-64`, `gpt-4o-mini`, `gpt-4.1`.
 */
export async function startOpenaiSimulator(options: OpenaiSimulatorOptions = {}): Promise<OpenaiSimulator> {
  const { apiKey = simulatorKey, delayMs = 0 } = options;
  const chat = chatScriptBook({ record: options.record, fallback: options.chat });
  const withKey = (route: Route): Route => ({
    ...route,
    async handle(request) {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      return checkKey(request, apiKey) ?? (await route.handle(request));
    },
  });
  const routes: Route[] = [
    { method: "POST", path: /^\/v1\/embeddings$/, handle: answerEmbeddings },
    { method: "POST", path: /^\/v1\/audio\/transcriptions$/, handle: answerTranscription },
    {
      method: "GET",
      path: /^\/v1\/models$/,
      handle: () => ({ status: 200, body: { object: "list", data: models } }),
    },
    { method: "POST", path: /^\/v1\/chat\/completions$/, handle: (request) => answerChat(request, chat) },
  ];
  const simulator = await startSimulator({
    port: options.port,
    record: options.record,
    routes: routes.map(withKey),
    errorBody: openaiError,
  });
  return { ...simulator, chat };
}

function checkKey(request: SimulatorRequest, apiKey: string): SimulatorAnswer | null {
  const given = /^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1];
  if (given === apiKey) return null;
  if (given === undefined) return refusal(401, "You didn't provide an API key.");
  // The real API shows parts of the key it refuses; ours shows all of it, to prove that nobody passes it on.
  return refusal(401, `Incorrect API key provided: ${given}.`, "invalid_api_key");
}

const models = [
  "text-embedding-3-small",
  "text-embedding-ada-002",
  "whisper-1",
  "gpt-4o-transcribe",
  ...chatModels,
].map((id) => ({ id, object: "model", created: 1_700_000_000, owned_by: "simulator" }));

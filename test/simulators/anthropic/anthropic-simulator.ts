import { type ChatScript, type ChatScriptBook, chatScriptBook, playScript } from "../chat-script.ts";
import { type Simulator, type SimulatorAnswer, type SimulatorRequest, startSimulator } from "../simulator.ts";
import { anthropicFormat } from "./anthropic-format.ts";
import { messagesBody, seenOf, wrongOrder } from "./messages-body.ts";

const anthropicModel = "claude-haiku-4-5-20251001";

/** `POST /v1/messages` and `GET /v1/models` of Anthropic (platform.claude.com/docs/en/api), with one model. */
export async function startAnthropicSimulator(apiKey: string): Promise<Simulator & { chat: ChatScript }> {
  const chat = chatScriptBook();
  const guarded = (answer: (request: SimulatorRequest) => SimulatorAnswer) => (request: SimulatorRequest) =>
    refuseHeaders(request, apiKey) ?? answer(request);
  const simulator = await startSimulator({
    routes: [
      {
        method: "POST",
        path: /^\/v1\/messages$/,
        handle: guarded((request) => answerMessages(request, chat)),
      },
      {
        method: "GET",
        path: /^\/v1\/models$/,
        handle: guarded(() => ({
          status: 200,
          body: {
            data: [
              {
                type: "model",
                id: anthropicModel,
                display_name: "Claude",
                created_at: "2025-10-01T00:00:00Z",
              },
            ],
            has_more: false,
            first_id: anthropicModel,
            last_id: anthropicModel,
          },
        })),
      },
    ],
    errorBody: anthropicError,
  });
  return { ...simulator, chat };
}

/** The second took the sampling parameters away and lets the key come as a bearer token. */
const versions = ["2023-06-01", "2026-10-21"];

function refuseHeaders({ headers }: SimulatorRequest, apiKey: string): SimulatorAnswer | null {
  // Anthropic does not repeat the key; ours does, to prove that nobody passes it on.
  const given = headers["x-api-key"] ?? headers.authorization?.replace(/^Bearer /, "");
  if (given !== apiKey) return refuse(401, `invalid x-api-key: ${given}`);
  const version = String(headers["anthropic-version"]);
  if (!versions.includes(version))
    return refuse(400, `anthropic-version: "${version}" is not a valid version`);
  return null;
}

function answerMessages(request: SimulatorRequest, book: ChatScriptBook): SimulatorAnswer {
  const parsed = messagesBody.safeParse(JSON.parse(request.body.toString()));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuse(400, `${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { data: body } = parsed;
  if (![anthropicModel, "claude-haiku-4-5"].includes(body.model)) return refuse(404, `model: ${body.model}`);
  const sampled = body.temperature !== undefined || body.top_p !== undefined;
  if (sampled && request.headers["anthropic-version"] === versions[1])
    return refuse(400, "temperature, top_p: Extra inputs are not permitted");
  const wrong = wrongOrder(body);
  if (wrong !== null) return refuse(400, wrong);
  return playScript(request, book, seenOf(body), anthropicFormat(body.model, refuse));
}

function refuse(status: number, message: string): SimulatorAnswer {
  return { status, body: anthropicError(status, message) };
}

const types: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};

function anthropicError(status: number, message: string): object {
  const error = { type: types[status] ?? "api_error", message };
  return { type: "error", error, request_id: "req_simulator" };
}

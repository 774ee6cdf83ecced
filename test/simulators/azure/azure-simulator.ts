import { type ChatScript, chatScriptBook } from "../chat-script.ts";
import { answerChat } from "../openai/chat-completions.ts";
import { openaiError } from "../openai/openai-errors.ts";
import { type Simulator, type SimulatorRequest, startSimulator } from "../simulator.ts";

const deployments = ["support-gpt"];

/**
 * Azure OpenAI with one deployment, `support-gpt`: its `/openai/v1` API, and the older one with the deployment in the
 * path and a mandatory `api-version` (learn.microsoft.com/azure/ai-foundry/openai/reference).
 */
export async function startAzureSimulator(apiKey: string): Promise<Simulator & { chat: ChatScript }> {
  const chat = chatScriptBook();
  const answer = (request: SimulatorRequest) =>
    request.headers["api-key"] === apiKey ? answerChat(request, chat, deployments) : wrongKey;
  const simulator = await startSimulator({
    routes: [
      { method: "POST", path: /^\/openai\/v1\/chat\/completions$/, handle: answer },
      {
        method: "POST",
        path: /^\/openai\/deployments\/(?<model>[^/]+)\/chat\/completions$/,
        handle(request) {
          if (request.query.get("api-version") === null) return noVersion;
          const body = { ...JSON.parse(request.body.toString()), model: request.params.model };
          return answer({ ...request, body: Buffer.from(JSON.stringify(body)) });
        },
      },
    ],
    errorBody: openaiError,
  });
  return { ...simulator, chat };
}

const wrongKey = {
  status: 401,
  body: {
    error: {
      code: "401",
      message: "Access denied due to invalid subscription key or wrong API endpoint.",
    },
  },
};

const noVersion = { status: 404, body: { error: { code: "404", message: "Resource not found" } } };

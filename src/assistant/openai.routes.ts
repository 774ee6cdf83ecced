import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { type Operation, operation } from "../http/operation.ts";
import { selectWorkspaces } from "../workspaces/find.ts";
import {
  Completion,
  CompletionRequest,
  EmbeddingList,
  EmbeddingRequest,
  ModelList,
} from "./openai.schemas.ts";
import { createCompletion } from "./openai-chat.ts";
import { createEmbeddings } from "./openai-embeddings.ts";

const MODELS_MAX = 1_000;
/** Pictures come inside the JSON. */
const BODY_LIMIT_BYTES = 12 * 1024 * 1024;
const common = { tag: "OpenAI-compatible", tenant: "account-or-key", errors: "openai" } as const;

export const openaiOperations: Operation[] = [
  operation({
    ...common,
    id: "listModels",
    method: "GET",
    path: "/v1/openai/models",
    scope: "chat",
    summary: "List the workspaces as models.",
    description: `The newest ${MODELS_MAX}. A key of one workspace sees that one.`,
    response: { 200: ModelList },
    handle: (app, caller) => listModels(app, caller),
  }),
  operation({
    ...common,
    id: "createChatCompletion",
    method: "POST",
    path: "/v1/openai/chat/completions",
    scope: "chat",
    summary: "Ask a workspace with a client made for OpenAI.",
    description:
      "`model` is the workspace's original slug. With `stream` it answers server-sent events as OpenAI documents them. " +
      "Your `tools` are yours to run: their calls are handed back. The workspace's own tools run here.",
    body: CompletionRequest,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    idempotent: false,
    stream: "on-request",
    response: { 200: Completion },
    problems: ["not_found", "provider_failed", "provider_timeout"],
    examples: {
      body: { model: "support", messages: [{ role: "user", content: "When do you deliver?" }] },
    },
    handle: (app, caller, { body }, signal) => createCompletion(app, caller, body, signal),
  }),
  operation({
    ...common,
    id: "createEmbeddings",
    method: "POST",
    path: "/v1/openai/embeddings",
    scope: "search",
    summary: "Embed texts with the installation's embedding model.",
    body: EmbeddingRequest,
    idempotent: false,
    watchesClient: true,
    response: { 200: EmbeddingList },
    problems: ["conflict", "provider_failed", "provider_timeout"],
    examples: { body: { model: "text-embedding-3-small", input: "When do you deliver?" } },
    handle: (app, _caller, { body }, signal) => createEmbeddings(app, body, signal),
  }),
];

async function listModels(app: App, caller: AccountCaller) {
  const rows = await app.db.readAsTenant(caller, (db) => {
    const select = selectWorkspaces(db)
      .where("workspaces.account_id", "=", caller.accountId)
      .orderBy("workspaces.id", "desc")
      .limit(MODELS_MAX);
    const { workspaceId } = caller;
    return workspaceId === undefined ? select : select.where("workspaces.id", "=", workspaceId);
  });
  return {
    object: "list" as const,
    data: rows.map((row) => ({
      id: row.slug,
      object: "model" as const,
      created: Math.floor(row.created_at.getTime() / 1000),
      owned_by: row.organization_slug,
    })),
  };
}

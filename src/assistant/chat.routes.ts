import { type Operation, operation } from "../http/operation.ts";
import { PageQuery, Success } from "../http/schemas.ts";
import { WorkspaceParams } from "../workspaces/workspaces.schemas.ts";
import {
  AskThread,
  AskWorkspace,
  ChatAnswer,
  ChatEvent,
  ChatHistory,
  ChatsQuery,
  NewThread,
  ThreadParams,
  ThreadResponse,
  UpdateThread,
} from "./chat.schemas.ts";
import { chat, streamChat } from "./chat.ts";
import { listChats } from "./list-chats.ts";
import { newThread, removeThread, updateThread } from "./threads.ts";

/** Pictures come inside the JSON. */
const BODY_LIMIT_BYTES = 12 * 1024 * 1024;
const asking = {
  method: "POST",
  tag: "Chat",
  scope: "chat",
  tenant: "workspace",
  idempotent: false,
  bodyLimitBytes: BODY_LIMIT_BYTES,
  watchesClient: true,
  problems: ["not_found", "provider_failed", "provider_timeout"],
  examples: { body: { message: "When do you deliver?" } },
} as const;
const STREAMED =
  "One `data:` line an event: `textResponseChunk` with the next piece of the text, `toolCall` when a tool begins and " +
  "ends, and at last `finalizeResponseStream`, or `abort` when it failed on the way. What fails before the first " +
  "event is answered as an error like any other. Whoever closes the connection ends the model's work.";
const threads = { tag: "Chat", scope: "chat", tenant: "workspace" } as const;

export const chatOperations: Operation[] = [
  operation({
    ...asking,
    id: "chat",
    path: "/v1/workspace/:slug/chat",
    summary: "Ask a workspace.",
    description:
      "The answer rests on the workspace's documents and cites them as `[1]`, `[2]`. Without a language model it quotes the passages that fit best.",
    params: WorkspaceParams,
    body: AskWorkspace,
    response: { 200: ChatAnswer },
    handle: (app, caller, { params, body }, signal) =>
      chat(app, caller, { slug: params.slug, threadSlug: null }, body, signal),
  }),
  operation({
    ...asking,
    id: "streamChat",
    path: "/v1/workspace/:slug/stream-chat",
    summary: "Ask a workspace, and get the answer as it is written.",
    description: STREAMED,
    params: WorkspaceParams,
    body: AskWorkspace,
    response: { 200: ChatEvent },
    stream: true,
    handle: (app, caller, { params, body }, signal) =>
      streamChat(app, caller, { slug: params.slug, threadSlug: null }, body, signal),
  }),
  operation({
    ...threads,
    scope: "conversations:read",
    id: "listChats",
    method: "GET",
    path: "/v1/workspace/:slug/chats",
    summary: "List what was said in a conversation with a workspace.",
    params: WorkspaceParams,
    query: ChatsQuery,
    response: { 200: ChatHistory },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) =>
      listChats(app, caller, { slug: params.slug, threadSlug: null }, query),
  }),
  operation({
    ...threads,
    id: "newThread",
    method: "POST",
    path: "/v1/workspace/:slug/thread/new",
    summary: "Begin a thread: a conversation with a name.",
    params: WorkspaceParams,
    body: NewThread,
    response: { 200: ThreadResponse },
    problems: ["not_found", "conflict"],
    examples: { body: { name: "Order 1017" } },
    handle: (app, caller, { params, body }) => newThread(app, caller, params.slug, body),
  }),
  operation({
    ...threads,
    id: "updateThread",
    method: "POST",
    path: "/v1/workspace/:slug/thread/:threadSlug/update",
    summary: "Rename a thread.",
    params: ThreadParams,
    body: UpdateThread,
    response: { 200: ThreadResponse },
    problems: ["not_found"],
    examples: { body: { name: "Order 1017, returned" } },
    handle: (app, caller, { params, body }) =>
      updateThread(app, caller, params.slug, params.threadSlug, body.name),
  }),
  operation({
    ...threads,
    id: "deleteThread",
    method: "DELETE",
    path: "/v1/workspace/:slug/thread/:threadSlug",
    summary: "Delete a thread with all that was said in it.",
    params: ThreadParams,
    response: { 200: Success },
    problems: ["not_found"],
    handle: (app, caller, { params }) => removeThread(app, caller, params.slug, params.threadSlug),
  }),
  operation({
    ...asking,
    id: "chatInThread",
    path: "/v1/workspace/:slug/thread/:threadSlug/chat",
    summary: "Ask in a thread.",
    params: ThreadParams,
    body: AskThread,
    response: { 200: ChatAnswer },
    handle: (app, caller, { params, body }, signal) => chat(app, caller, params, body, signal),
  }),
  operation({
    ...asking,
    id: "streamChatInThread",
    path: "/v1/workspace/:slug/thread/:threadSlug/stream-chat",
    summary: "Ask in a thread, and get the answer as it is written.",
    description: STREAMED,
    params: ThreadParams,
    body: AskThread,
    response: { 200: ChatEvent },
    stream: true,
    handle: (app, caller, { params, body }, signal) => streamChat(app, caller, params, body, signal),
  }),
  operation({
    ...threads,
    scope: "conversations:read",
    id: "listThreadChats",
    method: "GET",
    path: "/v1/workspace/:slug/thread/:threadSlug/chats",
    summary: "List what was said in a thread.",
    params: ThreadParams,
    query: PageQuery,
    response: { 200: ChatHistory },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) => listChats(app, caller, params, query),
  }),
];

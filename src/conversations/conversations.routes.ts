import { type Operation, operation } from "../http/operation.ts";
import { PageQuery, Success } from "../http/schemas.ts";
import { WorkspaceParams } from "../workspaces/workspaces.schemas.ts";
import { answerAsHuman } from "./answer-as-human.ts";
import { eraseContact, exportContact, listContacts } from "./contacts.ts";
import {
  AnswerAsHuman,
  ContactExport,
  ContactList,
  ContactParams,
  ContactQuery,
  ConversationFetched,
  ConversationList,
  ConversationParams,
  ConversationQuery,
  ConversationResponse,
  MessageList,
  MessageResponse,
  UpdateConversation,
} from "./conversations.schemas.ts";
import { getConversation, listConversations, listMessages } from "./list-conversations.ts";
import { updateConversation } from "./update-conversation.ts";

const tag = "Conversations";

export const conversationOperations: Operation[] = [
  operation({
    id: "listConversations",
    method: "GET",
    path: "/v1/workspace/:slug/conversations",
    tag,
    scope: "conversations:read",
    tenant: "workspace",
    summary: "List a workspace's conversations of every channel, the last active first.",
    params: WorkspaceParams,
    query: ConversationQuery,
    response: { 200: ConversationList },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) => listConversations(app, caller, params.slug, query),
  }),
  operation({
    id: "getConversation",
    method: "GET",
    path: "/v1/workspace/:slug/conversations/:conversationId",
    tag,
    scope: "conversations:read",
    tenant: "workspace",
    summary: "Get one conversation.",
    params: ConversationParams,
    response: { 200: ConversationFetched },
    problems: ["not_found"],
    handle: (app, caller, { params }) => getConversation(app, caller, params.slug, params.conversationId),
  }),
  operation({
    id: "listMessages",
    method: "GET",
    path: "/v1/workspace/:slug/conversations/:conversationId/messages",
    tag,
    scope: "conversations:read",
    tenant: "workspace",
    summary: "List what was said in a conversation, newest first.",
    params: ConversationParams,
    query: PageQuery,
    response: { 200: MessageList },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) =>
      listMessages(app, caller, params.slug, params.conversationId, query),
  }),
  operation({
    id: "updateConversation",
    method: "POST",
    path: "/v1/workspace/:slug/conversations/:conversationId/update",
    tag,
    scope: "conversations:write",
    tenant: "workspace",
    summary: "Take a conversation over, give it back, close it, or name it.",
    description:
      "While `bot_paused` is true, what people write is stored and the assistant answers nothing. Closing gives the conversation back to the assistant; the next message opens it again.",
    params: ConversationParams,
    body: UpdateConversation,
    response: { 200: ConversationResponse },
    problems: ["not_found"],
    examples: { body: { bot_paused: true } },
    handle: (app, caller, { params, body }) =>
      updateConversation(app, caller, params.slug, params.conversationId, body),
  }),
  operation({
    id: "answerAsHuman",
    method: "POST",
    path: "/v1/workspace/:slug/conversations/:conversationId/messages",
    tag,
    scope: "conversations:write",
    tenant: "workspace",
    summary: "Answer as a human, instead of the assistant.",
    description:
      "This pauses the assistant (`bot_paused`). On `whatsapp` and `voice` the message goes out through the channel: it is `pending` until then, and 409 where nothing can send it. On the other channels it is in the history that the client reads.",
    params: ConversationParams,
    body: AnswerAsHuman,
    response: { 200: MessageResponse },
    problems: ["not_found", "conflict", "overloaded"],
    examples: { body: { text: "Ada here. I have sent you a new label." } },
    handle: (app, caller, { params, body }) =>
      answerAsHuman(app, caller, params.slug, params.conversationId, body.text),
  }),
  operation({
    id: "listContacts",
    method: "GET",
    path: "/v1/workspace/:slug/contacts",
    tag,
    scope: "conversations:read",
    tenant: "workspace",
    summary: "List the people who talked to a workspace, newest first.",
    params: WorkspaceParams,
    query: ContactQuery,
    response: { 200: ContactList },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) => listContacts(app, caller, params.slug, query),
  }),
  operation({
    id: "exportContact",
    method: "GET",
    path: "/v1/workspace/:slug/contacts/:contactId",
    tag,
    scope: "conversations:read",
    tenant: "workspace",
    summary: "Export all that is kept of one person, across channels.",
    description:
      "Oldest first. `limit` counts messages; follow `next_cursor` to the end for the whole export.",
    params: ContactParams,
    query: PageQuery,
    response: { 200: ContactExport },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) =>
      exportContact(app, caller, params.slug, params.contactId, query),
  }),
  operation({
    id: "eraseContact",
    method: "DELETE",
    path: "/v1/workspace/:slug/contacts/:contactId",
    tag,
    scope: "conversations:write",
    tenant: "workspace",
    summary: "Erase one person: conversations, messages and identities, on every channel.",
    params: ContactParams,
    response: { 200: Success },
    problems: ["not_found"],
    handle: (app, caller, { params }) => eraseContact(app, caller, params.slug, params.contactId),
  }),
];

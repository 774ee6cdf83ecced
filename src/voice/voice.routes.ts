import { type Operation, operation } from "../http/operation.ts";
import { Success } from "../http/schemas.ts";
import { WorkspaceParams } from "../workspaces/workspaces.schemas.ts";
import { CallPage, CallParams, CallQuery, CallResponse, WorkspaceCallQuery } from "./call-log.schemas.ts";
import { CATALOG, CATALOG_ETAG } from "./catalog.ts";
import { createTestCall } from "./create-test-call.ts";
import { getCall, listCalls, listWorkspaceCalls } from "./list-calls.ts";
import {
  CreateVoiceIntegration,
  TestCallCreated,
  UpdateVoiceIntegration,
  VoiceCatalog,
  VoiceIntegrationResponse,
  VoiceIntegrationWritten,
} from "./voice.schemas.ts";
import { getVoice, provisionVoice, removeVoice, updateVoice } from "./voice.service.ts";

const tag = "Voice";
const path = "/v1/workspace/:slug/voice-integration";
const version = {
  of: ({ voice_integration: shown }: { voice_integration: { version: number } }) => String(shown.version),
};

export const voiceOperations: Operation[] = [
  operation({
    id: "getVoiceCatalog",
    method: "GET",
    path: "/v1/voice-integration/catalog",
    tag,
    scope: "voice:read",
    tenant: "account",
    summary: "List the voices, models and languages that a voice integration may name.",
    description: "What it lists is what is checked: messages of the other operations point into it.",
    response: { 200: VoiceCatalog },
    etag: { of: () => CATALOG_ETAG, isWhole: true },
    handle: async () => VoiceCatalog.parse(CATALOG),
  }),
  operation({
    id: "provisionVoice",
    method: "POST",
    path,
    tag,
    scope: "voice:write",
    tenant: "workspace",
    summary: "Let a workspace's assistant answer the phone.",
    description: "What is not sent comes from the catalog's `defaults`. A workspace has one at most.",
    params: WorkspaceParams,
    body: CreateVoiceIntegration,
    response: { 200: VoiceIntegrationWritten },
    problems: ["not_found", "conflict"],
    examples: {
      body: { firstMessage: "Hello, Acme support!", voice: { provider: "vapi", voiceId: "Emma" } },
    },
    etag: version,
    handle: (app, caller, { params, body }) => provisionVoice(app, caller, params.slug, body),
  }),
  operation({
    id: "getVoice",
    method: "GET",
    path,
    tag,
    scope: "voice:read",
    tenant: "workspace",
    summary: "Get a workspace's voice integration, and whether callers are answered.",
    params: WorkspaceParams,
    response: { 200: VoiceIntegrationResponse },
    problems: ["not_found"],
    etag: version,
    handle: (app, caller, { params }) => getVoice(app, caller, params.slug),
  }),
  operation({
    id: "updateVoice",
    method: "PATCH",
    path,
    tag,
    scope: "voice:write",
    tenant: "workspace",
    summary: "Change a voice integration. Only what is sent changes, from the next call on.",
    description:
      "An object with `provider` must be complete; without it, it is merged into what is stored. A list replaces the " +
      "whole list, `[]` empties it. `number_id: null` unlinks the number, without the field it stays. With " +
      "`If-Match`, it is done only at that version: otherwise 412.",
    params: WorkspaceParams,
    body: UpdateVoiceIntegration,
    response: { 200: VoiceIntegrationWritten },
    problems: ["not_found", "conflict", "precondition_failed"],
    examples: { body: { voice: { provider: "11labs", voiceId: "Rachel", model: "eleven_flash_v2_5" } } },
    etag: version,
    handle: (app, caller, { params, body, ifMatch }) => updateVoice(app, caller, params.slug, body, ifMatch),
  }),
  operation({
    id: "removeVoice",
    method: "DELETE",
    path,
    tag,
    scope: "voice:write",
    tenant: "workspace",
    summary: "Take a workspace's assistant off the phone; its number is free again, the call log stays.",
    params: WorkspaceParams,
    response: { 200: Success },
    problems: ["not_found"],
    handle: (app, caller, { params }) => removeVoice(app, caller, params.slug),
  }),
  operation({
    id: "createTestCall",
    method: "POST",
    path: `${path}/test-call`,
    tag,
    scope: "voice:write",
    tenant: "workspace",
    summary: "Call a workspace's assistant from a browser, without a carrier.",
    description:
      "Answers a token for one call in text over a WebSocket; `/docs/test-call` is a page that does all of it, and " +
      "`docs/phone.md` names the messages. The call is in the call log, with the provider `browser`.",
    params: WorkspaceParams,
    response: { 200: TestCallCreated },
    problems: ["not_found"],
    idempotent: false,
    handle: (app, caller, { params }) => createTestCall(app, caller, params.slug),
  }),
  operation({
    id: "listCalls",
    method: "GET",
    path: "/v1/voice-integration/call-logs",
    tag,
    scope: "voice:read",
    tenant: "account",
    summary: "List an account's calls with what was said, newest first.",
    description:
      "Filters are joined by AND. A call that is going on is listed; its transcript comes with its end.",
    query: CallQuery,
    response: { 200: CallPage },
    problems: ["not_found"],
    handle: (app, caller, { query }) => listCalls(app, caller, query),
  }),
  operation({
    id: "getCall",
    method: "GET",
    path: "/v1/voice-integration/call-logs/:callId",
    tag,
    scope: "voice:read",
    tenant: "account",
    summary: "Get one call.",
    params: CallParams,
    response: { 200: CallResponse },
    problems: ["not_found"],
    handle: (app, caller, { params }) => getCall(app, caller, params.callId),
  }),
  operation({
    id: "listWorkspaceCalls",
    method: "GET",
    path: `${path}/call-logs`,
    tag,
    scope: "voice:read",
    tenant: "workspace",
    summary: "List a workspace's calls with what was said, newest first.",
    params: WorkspaceParams,
    query: WorkspaceCallQuery,
    response: { 200: CallPage },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) => listWorkspaceCalls(app, caller, params.slug, query),
  }),
];

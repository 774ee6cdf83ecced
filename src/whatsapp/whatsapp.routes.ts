import { type Operation, operation } from "../http/operation.ts";
import { WorkspaceParams } from "../workspaces/workspaces.schemas.ts";
import { getWhatsApp, revealPin } from "./connection-view.ts";
import { disconnectWhatsApp } from "./disconnect.ts";
import { CreateConnectToken, createConnectToken } from "./page-token-mint.ts";
import {
  ConnectToken,
  DisconnectQuery,
  WhatsAppDisconnected,
  WhatsAppFetched,
  WhatsAppPin,
} from "./whatsapp.schemas.ts";

const tag = "WhatsApp";

export const whatsappOperations: Operation[] = [
  operation({
    id: "createWhatsAppConnectToken",
    method: "POST",
    path: "/v1/workspace/:slug/whatsapp/connect-token",
    tag,
    scope: "whatsapp:write",
    tenant: "workspace",
    summary: "Create a link to the page on which your customer connects a WhatsApp number.",
    description:
      "No body is needed. The link is for one workspace and one page that may frame it, and ends the one before it; " +
      "rendering does not use it up. At most ten a minute for a workspace.",
    params: WorkspaceParams,
    body: CreateConnectToken.optional(),
    response: { 200: ConnectToken },
    problems: ["not_found", "conflict"],
    idempotent: false,
    examples: {
      body: { mode: "new" },
      response: {
        success: true,
        token: "lo_wac_5qk0mT1y0v0k6l6sWmQ2b7n7rZx9J4h3c1d8e2f5g7A",
        expires_at: "2026-05-25T12:34:56.000Z",
        connect_url:
          "https://lumenone.example.com/api/v1/workspace/737570706f7274/whatsapp/connect-page?token=lo_wac_5qk0mT1y0v0k6l6sWmQ2b7n7rZx9J4h3c1d8e2f5g7A",
      },
    },
    handle: (app, caller, { params, body }) => createConnectToken(app, caller, params.slug, body),
  }),
  operation({
    id: "getWhatsApp",
    method: "GET",
    path: "/v1/workspace/:slug/whatsapp",
    tag,
    scope: "whatsapp:read",
    tenant: "workspace",
    summary: "Get how a workspace stands with WhatsApp, and what to do next.",
    params: WorkspaceParams,
    response: { 200: WhatsAppFetched },
    problems: ["not_found"],
    handle: (app, caller, { params }) => getWhatsApp(app, caller, params.slug),
  }),
  operation({
    id: "disconnectWhatsApp",
    method: "DELETE",
    path: "/v1/workspace/:slug/whatsapp",
    tag,
    scope: "whatsapp:write",
    tenant: "workspace",
    summary: "Disconnect a workspace from WhatsApp.",
    description:
      "From now on nothing is received or answered; conversations stay. Meta is told in the background, also when it " +
      "does not answer now. Repeated, it changes nothing.",
    params: WorkspaceParams,
    query: DisconnectQuery,
    response: { 200: WhatsAppDisconnected },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) =>
      disconnectWhatsApp(app, caller, params.slug, query.release_number ?? false),
  }),
  operation({
    id: "revealWhatsAppPin",
    method: "POST",
    path: "/v1/workspace/:slug/whatsapp/reveal-pin",
    tag,
    scope: "whatsapp:write",
    tenant: "workspace",
    summary: "Reveal the two-step PIN of a workspace's number, for its customer to take it elsewhere.",
    description: "It stays after a disconnection. Each time it is shown, the audit trail says so.",
    params: WorkspaceParams,
    response: { 200: WhatsAppPin },
    problems: ["not_found"],
    idempotent: false,
    handle: (app, caller, { params }) => revealPin(app, caller, params.slug),
  }),
];

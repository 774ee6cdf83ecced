import { eraseAccountRows } from "./accounts/accounts.erase.ts";
import { accountOperations } from "./accounts/accounts.routes.ts";
import { adminOperations } from "./admin/admin.routes.ts";
import { chatOperations } from "./assistant/chat.routes.ts";
import { openaiOperations } from "./assistant/openai.routes.ts";
import { auditOperations } from "./audit/audit.routes.ts";
import type { Config } from "./config.ts";
import type { App } from "./context.ts";
import { eraseConversations } from "./conversations/conversations.erase.ts";
import { conversationOperations } from "./conversations/conversations.routes.ts";
import { RETENTION_JOB, retentionHandler } from "./conversations/retention.jobs.ts";
import { SEND_JOB, sendMessageHandler } from "./conversations/send-message.jobs.ts";
import { threadsPart } from "./conversations/workspace-part.ts";
import { eraseDocuments } from "./documents/documents.erase.ts";
import { documentOperations } from "./documents/documents.routes.ts";
import { embedHandler } from "./documents/embed.jobs.ts";
import { ingestHandler } from "./documents/ingest.jobs.ts";
import { countDocuments } from "./documents/maintain.ts";
import { documentsPart } from "./documents/workspace-part.ts";
import type { Operation } from "./http/operation.ts";
import type { PublicRoute } from "./http/public-route.ts";
import { eraseHandler } from "./jobs/erasure.ts";
import { jobOperations } from "./jobs/jobs.routes.ts";
import type { JobHandler } from "./jobs/worker.ts";
import { eraseModelRows } from "./models/models.erase.ts";
import { modelOperations } from "./models/models.routes.ts";
import { countNumbers } from "./numbers/list-numbers.ts";
import { releaseNumbers } from "./numbers/numbers.erase.ts";
import { numberOperations } from "./numbers/numbers.routes.ts";
import { numberAdminOperations } from "./numbers/numbers-admin.routes.ts";
import { ORDER_JOB, orderNumbersHandler } from "./numbers/order.jobs.ts";
import { eraseOrganizationRows } from "./organizations/organizations.erase.ts";
import { organizationOperations } from "./organizations/organizations.routes.ts";
import { partnerOperations } from "./partners/partners.routes.ts";
import { eraseToolRows } from "./tools/tools.erase.ts";
import { toolOperations } from "./tools/tools.routes.ts";
import { usageOperations } from "./usage/usage.routes.ts";
import { callRetention } from "./voice/call-retention.ts";
import { callsOfPerson } from "./voice/calls-of-person.ts";
import { ENGINE_JOB, voiceEngineHandler } from "./voice/engine/engine.jobs.ts";
import { FINALIZE_JOB, finalizeCallHandler } from "./voice/finalize-call.jobs.ts";
import { relayRoutes } from "./voice/relay/relay.routes.ts";
import { testPageRoutes } from "./voice/test-page/test-page.ts";
import { vapiRoutes } from "./voice/vapi/vapi.routes.ts";
import { eraseVoice } from "./voice/voice.erase.ts";
import { voiceOperations } from "./voice/voice.routes.ts";
import { eraseWebhookRows } from "./webhooks/webhooks.erase.ts";
import { webhookOperations } from "./webhooks/webhooks.routes.ts";
import { SYNC_JOB, syncHandler } from "./whatsapp/coexistence.jobs.ts";
import { whatsappOfPerson, whatsappRetention } from "./whatsapp/contact-part.ts";
import { disconnectHandler } from "./whatsapp/disconnect.jobs.ts";
import { DISCONNECT_JOB } from "./whatsapp/disconnect.ts";
import { onboardRoute } from "./whatsapp/onboard.ts";
import { connectPageRoutes } from "./whatsapp/page/connect-page.routes.ts";
import { whatsappSender } from "./whatsapp/send-human.ts";
import { whatsappWebhookRoutes } from "./whatsapp/webhook.routes.ts";
import { eraseWhatsApp } from "./whatsapp/whatsapp.erase.ts";
import { whatsappOperations } from "./whatsapp/whatsapp.routes.ts";
import { eraseWorkspaceRows } from "./workspaces/workspaces.erase.ts";
import { workspaceOperations } from "./workspaces/workspaces.routes.ts";
import { countWorkspaces } from "./workspaces/workspaces.service.ts";

/** What the rooms contribute; the only list that a new room must be added to. */
export const operations: readonly Operation[] = [
  ...partnerOperations,
  ...accountOperations,
  ...organizationOperations,
  ...modelOperations,
  ...workspaceOperations,
  ...documentOperations,
  ...toolOperations,
  ...chatOperations,
  ...openaiOperations,
  ...conversationOperations,
  ...whatsappOperations,
  ...numberOperations,
  ...voiceOperations,
  ...jobOperations,
  ...webhookOperations,
  ...usageOperations,
  ...auditOperations,
  ...adminOperations,
  ...numberAdminOperations,
];

/** Pages, and what vendors call. */
export const publicRoutes: readonly PublicRoute[] = [
  onboardRoute,
  ...connectPageRoutes,
  ...whatsappWebhookRoutes,
  ...relayRoutes,
  ...testPageRoutes,
  ...vapiRoutes,
];

/** What each group of operations is about; the reference shows them in this order. */
export const tags = [
  { name: "Authentication", description: "Whether an API key is good." },
  { name: "Accounts", description: "Your customers. Everything else belongs to one of them." },
  {
    name: "Organizations",
    description: "Tenants inside an account: they hold workspaces, documents and tools.",
  },
  {
    name: "Models",
    description: "An organization's own credentials for the providers of language models.",
  },
  { name: "Workspaces", description: "Isolated assistants inside an organization, each with its settings." },
  {
    name: "Documents",
    description: "Files and texts of an organization: read once, embedded into any of its workspaces.",
  },
  {
    name: "Chat",
    description: "Questions to a workspace, answered from its documents, in one piece or as a stream.",
  },
  {
    name: "OpenAI-compatible",
    description: "For clients made for OpenAI, voice platforms among them: each workspace is a model.",
  },
  {
    name: "Tools",
    description: "What an assistant may call: defined once in an organization, attached to workspaces.",
  },
  {
    name: "Conversations",
    description:
      "What was said on every channel, by whom; a human takes over, a person's data is exported or erased.",
  },
  {
    name: "WhatsApp",
    description: "A customer's WhatsApp number: connected on a page inside your own, then answered.",
  },
  {
    name: "Numbers",
    description: "Telephone numbers: asked for by you, bought and given out by who runs the installation.",
  },
  {
    name: "Voice",
    description: "A workspace's assistant on the phone: how it speaks and listens, and every call it had.",
  },
  {
    name: "Jobs",
    description: "Work that goes on in the background, such as the reading of a document or an erasure.",
  },
  { name: "Webhooks", description: "Where you are told of what happens, and what was sent there." },
  { name: "Usage", description: "What each organization used, by UTC day." },
  { name: "Audit", description: "Who changed what, with which key." },
  {
    name: "Administration",
    description: "Partners and their keys, for who runs the installation, with a superadmin's key.",
  },
] as const;

export const jobHandlers: Readonly<Record<string, JobHandler>> = {
  erase: eraseHandler,
  ingest: ingestHandler,
  embed: embedHandler,
  [SEND_JOB]: sendMessageHandler,
  [RETENTION_JOB]: retentionHandler,
  [DISCONNECT_JOB]: disconnectHandler,
  [SYNC_JOB]: syncHandler,
  [ORDER_JOB]: orderNumbersHandler,
  [ENGINE_JOB]: voiceEngineHandler,
  [FINALIZE_JOB]: finalizeCallHandler,
};

/** Later rooms first: nothing may be left pointing at what is gone. */
export const eraseSteps: App["eraseSteps"] = [
  eraseWebhookRows,
  eraseWhatsApp,
  eraseVoice,
  releaseNumbers,
  eraseConversations,
  eraseDocuments,
  eraseToolRows,
  eraseWorkspaceRows,
  eraseModelRows,
  eraseOrganizationRows,
  eraseAccountRows,
];

export const organizationCounters: App["organizationCounters"] = {
  workspaces: countWorkspaces,
  documents: countDocuments,
  numbers: countNumbers,
};

export const workspaceParts: App["workspaceParts"] = [documentsPart, threadsPart];

/** How messages are brought to people, on those channels that this installation is set up for. */
export function channelSenders({ meta }: Config): App["channelSenders"] {
  return meta === undefined ? {} : { whatsapp: whatsappSender };
}

/** What rooms behind the conversations keep of the people in them. */
export const contactParts: App["contactParts"] = [callsOfPerson, whatsappOfPerson];

export const retentionParts: App["retentionParts"] = [callRetention, whatsappRetention];

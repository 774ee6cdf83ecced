import type { AccountTables } from "../accounts/accounts.tables.ts";
import type { AuditTables } from "../audit/audit.tables.ts";
import type { ConversationTables } from "../conversations/conversations.tables.ts";
import type { DocumentTables } from "../documents/documents.tables.ts";
import type { IdempotencyTables } from "../http/idempotency.tables.ts";
import type { JobTables } from "../jobs/jobs.tables.ts";
import type { ModelTables } from "../models/models.tables.ts";
import type { NumberTables } from "../numbers/numbers.tables.ts";
import type { OrganizationTables } from "../organizations/organizations.tables.ts";
import type { PartnerTables } from "../partners/partners.tables.ts";
import type { ToolTables } from "../tools/tools.tables.ts";
import type { UsageTables } from "../usage/usage.tables.ts";
import type { VoiceTables } from "../voice/voice.tables.ts";
import type { WebhookTables } from "../webhooks/webhooks.tables.ts";
import type { WhatsAppTables } from "../whatsapp/whatsapp.tables.ts";
import type { WorkspaceTables } from "../workspaces/workspaces.tables.ts";

/** Every table, as its room declares it. */
export type Tables = PartnerTables &
  AccountTables &
  OrganizationTables &
  ModelTables &
  WorkspaceTables &
  DocumentTables &
  ToolTables &
  ConversationTables &
  NumberTables &
  VoiceTables &
  WhatsAppTables &
  WebhookTables &
  UsageTables &
  AuditTables &
  JobTables &
  IdempotencyTables & { signals: { name: string; version: number } };

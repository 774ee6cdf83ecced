import type { Selectable } from "kysely";
import type { Channel } from "./channel.ts";
import type { ConversationTables } from "./conversations.tables.ts";

export type ConversationRow = Selectable<ConversationTables["conversations"]>;
export type MessageRow = Selectable<ConversationTables["messages"]>;

/** Whose a conversation is: what every row of this room carries. */
export interface ConversationOwner {
  partnerId: string;
  accountId: string;
  organizationId: number;
  workspaceId: number;
}

/** What a caller names a conversation by. */
export interface ConversationAddress {
  channel: Channel;
  /** `null`: the workspace's own conversation of that channel. */
  sessionId: string | null;
  /** Set for threads, which are found by their slug alone. */
  threadSlug: string | null;
}

/** What a turn needs to know of its conversation. */
export type ConversationState = Pick<
  ConversationRow,
  | "id"
  | "channel"
  | "contact_id"
  | "session_id"
  | "thread_slug"
  | "name"
  | "status"
  | "bot_paused"
  | "forgotten_until"
>;

/** An earlier message, as the model is told of it. */
export type HistoryMessage = Pick<MessageRow, "id" | "turn_id" | "role" | "text" | "status">;

/** Whose a row is, as it says itself. */
export interface OwnerColumns {
  partner_id: string;
  account_id: string;
  organization_id: number;
  workspace_id: number;
}

export function ownerOf(row: OwnerColumns): ConversationOwner {
  return {
    partnerId: row.partner_id,
    accountId: row.account_id,
    organizationId: row.organization_id,
    workspaceId: row.workspace_id,
  };
}

export function ownerColumns({ partnerId, accountId, organizationId, workspaceId }: ConversationOwner) {
  return {
    partner_id: partnerId,
    account_id: accountId,
    organization_id: organizationId,
    workspace_id: workspaceId,
  };
}

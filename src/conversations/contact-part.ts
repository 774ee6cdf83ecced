import type { RawBuilder } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { Channel } from "./channel.ts";

/** A person as other rooms know them. */
export interface KnownPerson {
  workspaceId: number;
  contactId: string;
  /** E.164. */
  phones: readonly string[];
  /** As the channels themselves named the conversations when they were opened. */
  conversations: readonly { id: string; channel: Channel; sessionId: string | null }[];
}

/** What a later room keeps of people: it goes into their export, and goes when they do. */
export interface ContactPart {
  /** Its field in the export, e.g. `calls`. */
  name: string;
  export(app: App, tx: Tx, person: KnownPerson): Promise<readonly object[]>;
  /** @returns how many things went */
  erase(tx: Tx, person: KnownPerson): Promise<number>;
}

/** What a later room keeps only for as long as the workspace's `retention_days` say. */
export interface RetentionPart {
  /** Whether a workspace has something older; of the row `kept (id, cutoff)` in a query of the system's. */
  isOverdue: RawBuilder<boolean>;
  /** At most `limit`, as the tenant. Returns how many went. */
  remove(tx: Tx, workspaceId: number, cutoff: Date, limit: number): Promise<number>;
}

import { type RawBuilder, type Selectable, sql } from "kysely";
import type { App } from "../../context.ts";
import { type ConversationOwner, ownerColumns } from "../../conversations/conversation.ts";
import type { Tx } from "../../db/database.ts";
import type { VoiceEngineName } from "../../ports/voice-engine.ts";
import type { VoiceTables } from "../voice.tables.ts";

export type EntryRow = Selectable<VoiceTables["voice_engine_entries"]>;
export type EntryKey = Pick<EntryRow, "kind" | "subject">;

/** What an engine is to have of ours. */
export interface WantedEntry {
  owner: ConversationOwner;
  engine: VoiceEngineName;
  /** Names the whole state: another one means that the engine is to be told. */
  state: string;
}

/** Whether the engine is known to have what is wanted. */
export function isTaken(
  entry: Pick<EntryRow, "engine" | "applied">,
  wanted: Pick<WantedEntry, "engine" | "state"> | null,
): boolean {
  return wanted !== null && wanted.engine === entry.engine && wanted.state === entry.applied;
}

/** Whether another job tells the engine of it just now. */
export function isClaimed(app: App, entry: EntryRow, jobId: string): boolean {
  const { claimed_by: by, claimed_until: until } = entry;
  return by !== null && by !== jobId && until !== null && until > app.now();
}

/** Nobody else changes it until the transaction ends. */
export async function holdEntry(tx: Tx, key: EntryKey): Promise<EntryRow | undefined> {
  return tx.selectFrom("voice_engine_entries").selectAll().where(isEntry(key)).forUpdate().executeTakeFirst();
}

/** `undefined`: another job has made it in the meantime. */
export async function insertEntry(
  app: App,
  tx: Tx,
  { kind, subject }: EntryKey,
  { owner, engine }: Pick<WantedEntry, "owner" | "engine">,
): Promise<EntryRow | undefined> {
  const times = { created_at: app.now(), updated_at: app.now() };
  return tx
    .insertInto("voice_engine_entries")
    .values({ ...ownerColumns(owner), ...times, kind, subject, engine })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
}

export async function setEntry(
  app: App,
  tx: Tx,
  key: EntryKey,
  change: Partial<EntryRow>,
): Promise<EntryRow> {
  return tx
    .updateTable("voice_engine_entries")
    .set({ ...change, updated_at: app.now() })
    .where(isEntry(key))
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function dropEntry(tx: Tx, key: EntryKey): Promise<void> {
  await tx.deleteFrom("voice_engine_entries").where(isEntry(key)).execute();
}

function isEntry({ kind, subject }: EntryKey): RawBuilder<boolean> {
  return sql<boolean>`kind = ${kind} and subject = ${subject}`;
}

import { type Selectable, sql } from "kysely";
import type { Tx } from "../db/database.ts";
import { VoiceConfiguration } from "./voice.schemas.ts";
import type { VoiceTables } from "./voice.tables.ts";

export type IntegrationRow = Selectable<VoiceTables["voice_integrations"]>;

export async function findIntegration(
  tx: Tx,
  workspaceId: number,
  hold: "none" | "update" = "none",
): Promise<IntegrationRow | undefined> {
  const select = tx.selectFrom("voice_integrations").selectAll().where("workspace_id", "=", workspaceId);
  return (hold === "update" ? select.forUpdate() : select).executeTakeFirst();
}

/** Beyond all that the workspace ever had: an old version never matches a new integration. */
export async function nextVersion(tx: Tx, workspaceId: number): Promise<number> {
  const { version } = await tx
    .selectFrom("voice_configurations")
    .select(({ fn }) => fn.max("version").as("version"))
    .where("workspace_id", "=", workspaceId)
    .executeTakeFirstOrThrow();
  return (version ?? 0) + 1;
}

/** Keeps what calls run with from now on, under the version that they name. */
export async function storeConfiguration(
  tx: Tx,
  row: IntegrationRow,
  configuration: VoiceConfiguration,
): Promise<void> {
  await tx
    .insertInto("voice_configurations")
    .values({
      partner_id: row.partner_id,
      account_id: row.account_id,
      organization_id: row.organization_id,
      workspace_id: row.workspace_id,
      integration_id: row.id,
      version: row.version,
      config: json(configuration),
    })
    .execute();
}

export function configurationColumns(configuration: VoiceConfiguration) {
  return {
    first_message: configuration.firstMessage,
    prompt: configuration.prompt,
    voice: json(configuration.voice),
    transcriber: json(configuration.transcriber),
    fallback_voices: json(configuration.fallbackVoices),
    fallback_transcribers: json(configuration.fallbackTranscribers),
    number_id: configuration.number_id,
  };
}

export function toConfiguration(row: IntegrationRow): VoiceConfiguration {
  return VoiceConfiguration.parse({
    firstMessage: row.first_message,
    prompt: row.prompt,
    voice: row.voice,
    transcriber: row.transcriber,
    fallbackVoices: row.fallback_voices,
    fallbackTranscribers: row.fallback_transcribers,
    number_id: row.number_id,
  });
}

function json(value: unknown) {
  return sql`${JSON.stringify(value)}::json`;
}

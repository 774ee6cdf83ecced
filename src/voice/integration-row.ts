import { type Selectable, sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { type FoundNumber, findNumber } from "../numbers/find-number.ts";
import { findStale } from "./check-configuration.ts";
import { type Check, VoiceConfiguration, type VoiceIntegration } from "./voice.schemas.ts";
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

export async function showIntegration(app: App, tx: Tx, row: IntegrationRow): Promise<VoiceIntegration> {
  const configuration = toConfiguration(row);
  const number = row.number_id === null ? undefined : await findNumber(tx, row.number_id);
  const checks = checksOf(app, configuration, number);
  return {
    ...configuration,
    id: row.id,
    status: statusOf(checks),
    checks,
    engine: row.engine,
    number: number?.number ?? null,
    version: row.version,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

function statusOf(checks: readonly Check[]): VoiceIntegration["status"] {
  const wrong = checks.filter(({ ok }) => !ok);
  if (wrong.length === 0) return "active";
  return wrong.every(({ name }) => name === "number") ? "awaiting_number" : "needs_attention";
}

/** Whether callers are answered, and if not, what is missing. */
function checksOf(app: App, configuration: VoiceConfiguration, number: FoundNumber | undefined): Check[] {
  const stale = findStale(configuration);
  const stalePart = (name: "voice" | "transcriber"): Check => {
    const [first] = stale[name];
    const message = first === undefined ? null : `${first.path} ${first.message}. Choose another one.`;
    return { name, ok: message === null, message };
  };
  return [
    checkNumber(number),
    app.config.carrier === "none"
      ? { name: "carrier", ok: false, message: "This installation has no carrier: set CARRIER." }
      : { name: "carrier", ok: true, message: null },
    stalePart("voice"),
    stalePart("transcriber"),
  ];
}

function checkNumber(number: FoundNumber | undefined): Check {
  const name = "number";
  if (number === undefined)
    return { name, ok: false, message: "Link a number with number_id, so that it can be called." };
  if (number.status !== "active")
    return { name, ok: false, message: `The number ${number.number} is ${number.status}. Link another one.` };
  return { name, ok: true, message: null };
}

function json(value: unknown) {
  return sql`${JSON.stringify(value)}::json`;
}

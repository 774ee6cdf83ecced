import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { type FoundNumber, findNumber } from "../numbers/find-number.ts";
import { findStale } from "./check-configuration.ts";
import { checkEngine, type EngineFinding } from "./engine/check-engine.ts";
import { findEngineJob } from "./engine/engine.jobs.ts";
import { type IntegrationRow, toConfiguration } from "./integration-row.ts";
import type { Check, VoiceConfiguration, VoiceIntegration } from "./voice.schemas.ts";

export async function showIntegration(app: App, tx: Tx, row: IntegrationRow): Promise<VoiceIntegration> {
  const configuration = toConfiguration(row);
  const number = row.number_id === null ? undefined : await findNumber(tx, row.number_id);
  const finding = await checkEngine(app, tx, row, number);
  const checks = checksOf(configuration, number, finding);
  return {
    ...configuration,
    id: row.id,
    status: statusOf(checks, finding),
    checks,
    engine: row.engine,
    number: number?.number ?? null,
    job_id: (await findEngineJob(tx, row.id, String(row.version))) ?? null,
    version: row.version,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

function statusOf(checks: readonly Check[], { isPending }: EngineFinding): VoiceIntegration["status"] {
  const wrong = checks.filter(({ ok }) => !ok).map(({ name }) => name);
  if (wrong.length === 0) return "active";
  if (wrong.every((name) => name === "number")) return "awaiting_number";
  const isOnItsWay = isPending && wrong.every((name) => name === "number" || name === "engine");
  return isOnItsWay ? "pending" : "needs_attention";
}

/** Whether callers are answered, and if not, what is missing. */
function checksOf(
  configuration: VoiceConfiguration,
  number: FoundNumber | undefined,
  { carrier, engine }: EngineFinding,
): Check[] {
  const stale = findStale(configuration);
  const stalePart = (name: "voice" | "transcriber"): Check => {
    const [first] = stale[name];
    const message = first === undefined ? null : `${first.path} ${first.message}. Choose another one.`;
    return { name, ok: message === null, message };
  };
  return [checkNumber(number), carrier, engine, stalePart("voice"), stalePart("transcriber")];
}

function checkNumber(number: FoundNumber | undefined): Check {
  const name = "number";
  if (number === undefined)
    return { name, ok: false, message: "Link a number with number_id, so that it can be called." };
  if (number.status !== "active")
    return { name, ok: false, message: `The number ${number.number} is ${number.status}. Link another one.` };
  return { name, ok: true, message: null };
}

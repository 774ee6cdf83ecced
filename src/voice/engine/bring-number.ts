import type { App } from "../../context.ts";
import { ownerOf } from "../../conversations/conversation.ts";
import type { Tx } from "../../db/database.ts";
import { JobPostponed, type RunningJob } from "../../jobs/worker.ts";
import { type FoundNumber, findNumber } from "../../numbers/find-number.ts";
import type { EngineNumber, VoiceEngine } from "../../ports/voice-engine.ts";
import type { IntegrationRow } from "../integration-row.ts";
import { bringAssistant } from "./bring-assistant.ts";
import { bringPart, type EnginePart } from "./bring-part.ts";
import type { WantedEntry } from "./engine-entry.ts";

interface WantedNumber extends WantedEntry {
  number: EngineNumber;
  assistantId: string | null;
}

/** Sees to it that calls to a number come to whoever it is linked to, or to nobody. The assistant is there before. */
export async function bringNumber(app: App, job: RunningJob, numberId: number): Promise<void> {
  const linked = await app.db.asSystem("jobs", (tx) => findLinked(tx, numberId), "background");
  if (linked !== undefined && app.voiceEngines[linked.engine]?.assistants != null)
    await bringAssistant(app, job, linked.id);
  await bringPart(app, job, numberPart(app, numberId));
}

function numberPart(app: App, numberId: number): EnginePart<WantedNumber> {
  // Of the transaction that decides what is told next: what is told is told of this.
  let latest: EngineNumber | undefined;
  return {
    kind: "number",
    subject: String(numberId),
    async want(tx) {
      const row = await findNumber(tx, numberId);
      latest = row === undefined ? undefined : toEngineNumber(row);
      const linked = await findLinked(tx, numberId);
      return linked === undefined || latest === undefined ? null : wantNumber(app, tx, linked, latest);
    },
    async tell(engine, { number, assistantId }, { engine_id: knownId }, signal) {
      if (engine.assistants !== null && assistantId === null)
        throw new JobPostponed("the assistant was removed in the meantime");
      return engine.linkNumber(number, assistantId, knownId, signal);
    },
    async remove(engine, { engine_id: knownId }, signal) {
      if (latest !== undefined && isEngines(engine, latest))
        await engine.unlinkNumber(latest, knownId, signal);
    },
  };
}

/** What an engine is to have of a number that an integration has; null: it is not the engine's to link. */
export async function wantNumber(
  app: App,
  tx: Tx,
  integration: IntegrationRow,
  number: EngineNumber,
): Promise<WantedNumber | null> {
  const engine = app.voiceEngines[integration.engine];
  const plan = engine?.planNumber(number);
  // One that is not set up is told so when it is told anything.
  if (plan !== undefined && plan.by !== "engine") return null;
  const assistantId = engine?.assistants == null ? null : await findAssistantId(tx, integration.id);
  return {
    owner: ownerOf(integration),
    engine: integration.engine,
    state: [integration.id, assistantId ?? "-", plan?.target ?? "-"].join(" "),
    number,
    assistantId,
  };
}

/** As engines know it. */
export function toEngineNumber({ id, number, provider, provider_id }: FoundNumber): EngineNumber {
  return { reference: `LumenOne number ${id}`, number, carrier: provider, carrierId: provider_id };
}

function isEngines(engine: VoiceEngine, number: EngineNumber): boolean {
  return engine.planNumber(number).by === "engine";
}

async function findLinked(tx: Tx, numberId: number): Promise<IntegrationRow | undefined> {
  return tx.selectFrom("voice_integrations").selectAll().where("number_id", "=", numberId).executeTakeFirst();
}

async function findAssistantId(tx: Tx, integrationId: string): Promise<string | null> {
  const entry = await tx
    .selectFrom("voice_engine_entries")
    .select("engine_id")
    .where("kind", "=", "assistant")
    .where("subject", "=", integrationId)
    .executeTakeFirst();
  return entry?.engine_id ?? null;
}

import type { App } from "../../context.ts";
import type { Tx } from "../../db/database.ts";
import type { FoundNumber } from "../../numbers/find-number.ts";
import type { NumberPlan, VoiceEngine } from "../../ports/voice-engine.ts";
import type { IntegrationRow } from "../integration-row.ts";
import type { Check } from "../voice.schemas.ts";
import { toEngineNumber } from "./bring-number.ts";
import { findParts } from "./find-parts.ts";

export interface EngineFinding {
  /** Whether calls find their way here. */
  carrier: Check;
  /** Whether the engine has the integration as it is stored. */
  engine: Check;
  /** The engine has not got it yet, and nothing has gone wrong. */
  isPending: boolean;
}

/** What an integration's engine lacks, with what to do about it. */
export async function checkEngine(
  app: App,
  tx: Tx,
  row: IntegrationRow,
  number: FoundNumber | undefined,
): Promise<EngineFinding> {
  const engine = app.voiceEngines[row.engine];
  if (engine === null) {
    const message = `The voice engine ${row.engine} is not set up here: set it up, or remove this integration and make it anew.`;
    return { carrier: fine("carrier"), engine: { name: "engine", ok: false, message }, isPending: false };
  }
  const plan = number === undefined ? undefined : engine.planNumber(toEngineNumber(number));
  const carrier = checkCarrier(engine, plan);
  // What cannot be told yet is not on its way.
  if (!carrier.ok) return { carrier, engine: fine("engine"), isPending: false };
  const open = (await findParts(app, tx, row, number)).filter(({ isTaken }) => !isTaken);
  const error = open.find((part) => part.error !== null)?.error;
  const message =
    open.length === 0
      ? null
      : error == null
        ? "The engine is being told. Look again in a few seconds."
        : `The engine has not taken the last change (${error.replace(/\.$/, "")}). It is tried again by itself; tell whoever runs the installation if this stays.`;
  const isPending = open.length > 0 && error == null;
  return { carrier, engine: { name: "engine", ok: message === null, message }, isPending };
}

function checkCarrier({ todo }: VoiceEngine, plan: NumberPlan | undefined): Check {
  const name = "carrier";
  if (todo !== null) return { name, ok: false, message: todo };
  if (plan?.by === "unable") return { name, ok: false, message: plan.todo };
  // Whether it was done, nobody can see from here.
  return plan?.by === "hand" ? { name, ok: true, message: plan.todo } : fine(name);
}

function fine(name: Check["name"]): Check {
  return { name, ok: true, message: null };
}

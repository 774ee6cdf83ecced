import type { App } from "../../context.ts";
import type { Tx } from "../../db/database.ts";
import { findNumber } from "../../numbers/find-number.ts";
import type { IntegrationRow } from "../integration-row.ts";
import { findEngineJob, retellEngine } from "./engine.jobs.ts";
import { findParts } from "./find-parts.ts";

const AT_ONCE = 100;

/**
 * Has engines told of what they have not taken although no job is about to tell them: because `PUBLIC_URL`, the carrier
 * or an engine was set up differently since, or because a job gave up.
 *
 * @returns how many integrations
 */
export async function refreshEngines(app: App): Promise<number> {
  let told = 0;
  for (let after: string | undefined; ; ) {
    const page = await app.db.asSystem("jobs", (tx) => listBehind(tx, after), "background");
    for (const row of page) {
      const isOpen = await app.db.asSystem("jobs", (tx) => retellIfOpen(app, tx, row), "background");
      if (isOpen) told += 1;
    }
    after = page.at(-1)?.id;
    if (page.length < AT_ONCE) return told;
  }
}

async function listBehind(tx: Tx, after: string | undefined): Promise<IntegrationRow[]> {
  const select = tx.selectFrom("voice_integrations").selectAll().orderBy("id").limit(AT_ONCE);
  return (after === undefined ? select : select.where("id", ">", after)).execute();
}

async function retellIfOpen(app: App, tx: Tx, row: IntegrationRow): Promise<boolean> {
  const number = row.number_id === null ? undefined : await findNumber(tx, row.number_id);
  const parts = await findParts(app, tx, row, number);
  if (parts.every(({ isTaken }) => isTaken)) return false;
  if ((await findEngineJob(tx, row.id, String(row.version))) !== undefined) return false;
  await retellEngine(app, tx, row);
  return true;
}

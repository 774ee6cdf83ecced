import { randomInt } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { client, testDatabase } from "../support.ts";
import type { Experiment, Outcome } from "./experiment.ts";
import { launchServer, startProcess } from "./process.ts";

const KILLS = 3;
const LATEST_MS = 3_500;

/** Kills a first start at any moment, starts again at once, and looks whether the third or fourth start is whole. */
export const killFirstStart: Experiment = {
  about: "kill -9 during the first start, several times in a row; the next start must be whole",
  rounds: 10,
  async run({ rounds, progress }) {
    const outcome: Outcome = { figures: { rounds, kills: 0 }, violations: [] };
    for (let number = 1; number <= rounds; number += 1) {
      const settings = await testDatabase();
      for (let kill = 0; kill < KILLS; kill += 1) {
        const start = launchServer(settings);
        await sleep(randomInt(50, LATEST_MS));
        start.kill();
        await start.ended;
        outcome.figures.kills = (outcome.figures.kills ?? 0) + 1;
      }
      await expectWhole(settings, outcome);
      await rm(settings.DATA_DIR ?? "", { recursive: true, force: true });
      progress(`round ${number}/${rounds}: ${outcome.violations.length} violations`);
    }
    return outcome;
  },
};

async function expectWhole(settings: Record<string, string>, { violations }: Outcome): Promise<void> {
  try {
    const server = await startProcess(settings);
    const made = JSON.parse(await readFile(join(settings.DATA_DIR ?? "", "bootstrap.json"), "utf8"));
    const { status, body } = await client(server.url, made.api_key, made.account_id).get("/v1/orgs");
    if (status !== 200 || body.organizations.length !== 1)
      violations.push(`the demo is incomplete: ${status}`);
    const { code } = await server.stop();
    if (code !== 0) violations.push(`the process ended with ${code}`);
  } catch (error) {
    violations.push(String(error));
  }
}

import { parseArgs } from "node:util";
import { testDatabase } from "../support.ts";
import { killDuringIngest } from "./documents-kill.ts";
import type { Experiment } from "./experiment.ts";
import { killFirstStart } from "./kill-first-start.ts";
import { killUnderWrite } from "./kill-under-write.ts";
import { killWhileOrdering } from "./numbers-kill.ts";
import { killDuringCalls } from "./voice-kill.ts";
import { killWhileAnswering } from "./whatsapp-answers.ts";
import { killWhileReceiving } from "./whatsapp-inbox.ts";
import { killDuringOnboarding } from "./whatsapp-onboard-kill.ts";

const experiments: Readonly<Record<string, Experiment>> = {
  "kill-under-write": killUnderWrite,
  "kill-first-start": killFirstStart,
  "documents-kill": killDuringIngest,
  numbers: killWhileOrdering,
  voice: killDuringCalls,
  "whatsapp-inbox": killWhileReceiving,
  "whatsapp-answers": killWhileAnswering,
  "whatsapp-onboard": killDuringOnboarding,
};

process.exitCode = await main();

/** `npm run fault -- [<experiment> … | all] [--rounds <n>]`, on PGlite or, with `TEST_DATABASE_URL`, on PostgreSQL. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { rounds: { type: "string" } },
    allowPositionals: true,
  });
  if (positionals.length === 0) return list();
  const names = positionals.includes("all") ? Object.keys(experiments) : positionals;
  const rows: Record<string, string | number>[] = [];
  for (const name of names) {
    const experiment = Object.hasOwn(experiments, name) ? experiments[name] : undefined;
    if (experiment === undefined) {
      say(`There is no experiment "${name}".`);
      list();
      return 2;
    }
    rows.push(await perform(name, experiment, Number(values.rounds ?? experiment.rounds)));
  }
  for (const row of rows) {
    say(`\n${row.experiment}`);
    for (const [figure, value] of Object.entries(row)) say(`  ${figure.padEnd(20)} ${value}`);
  }
  return rows.every(({ violations }) => violations === 0) ? 0 : 1;
}

async function perform(name: string, experiment: Experiment, rounds: number) {
  say(`${name}: ${experiment.about}`);
  const started = performance.now();
  const { figures, violations } = await experiment.run({
    settings: await testDatabase(),
    rounds,
    progress: (line) => say(`  ${line}`),
  });
  for (const violation of violations) say(`  VIOLATION: ${violation}`);
  const seconds = Math.round((performance.now() - started) / 1000);
  return { experiment: name, ...figures, seconds, violations: violations.length };
}

function list(): number {
  say("Experiments (npm run fault -- <name> … | all [--rounds <n>]):");
  for (const [name, { about, rounds }] of Object.entries(experiments)) {
    say(`  ${name.padEnd(18)} ${about} (${rounds} rounds)`);
  }
  return 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

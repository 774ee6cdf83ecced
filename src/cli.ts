import { parseArgs } from "node:util";
import pino from "pino";
import { openApp } from "./app.ts";
import type { Command, CommandInput } from "./command-input.ts";
import { commands } from "./commands.ts";
import { ConfigError, readConfig } from "./config.ts";
import { askControlSocket } from "./control-socket.ts";
import { StartRefused } from "./db/start-refused.ts";
import { Problem } from "./http/problem.ts";
import { createLog } from "./log.ts";

const USAGE_ERROR = 2;

process.exitCode = await main(process.argv.slice(2));

/** @returns the exit code: 0 done, 1 refused or failed, 2 wrongly called */
async function main(words: string[]): Promise<number> {
  const asked = findCommand(words);
  if (asked === undefined || asksForHelp(words)) return explain(words);
  const parsed = parse(asked.command, asked.rest);
  if (typeof parsed === "string") {
    console.error(`${parsed}\nUsage: lumenone ${asked.name} ${asked.command.usage} [--json]`);
    return USAGE_ERROR;
  }
  try {
    print(await carryOut(asked.name, asked.command, parsed.input), parsed.json);
    return 0;
  } catch (error) {
    const expected =
      error instanceof Problem || error instanceof ConfigError || error instanceof StartRefused;
    console.error(expected ? error.message : error);
    return 1;
  }
}

/** With the embedded database a running server does it; else this process, on the database itself. */
async function carryOut(name: string, command: Command, input: CommandInput): Promise<unknown> {
  const config = readConfig(process.env);
  if (config.databaseUrl === undefined) {
    const answer = await askControlSocket(config.dataDir, name, input);
    if (answer !== undefined && "problem" in answer) throw new Problem("invalid_request", answer.problem);
    if (answer !== undefined) return answer.result;
  }
  const log = createLog("warn", pino.destination(2));
  const { app, close } = await openApp(config, {
    log,
    onFatal: (error) => {
      console.error(error.message);
      process.exit(1);
    },
  });
  try {
    return await command.run(app, input);
  } finally {
    await close();
  }
}

function findCommand(words: string[]): { name: string; command: Command; rest: string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command !== undefined) return { name, command, rest: words.slice(length) };
  }
  return undefined;
}

function parse(command: Command, words: string[]): { input: CommandInput; json: boolean } | string {
  const options = Object.fromEntries(command.options.map((name) => [name, { type: "string" as const }]));
  try {
    const { values, positionals } = parseArgs({
      args: words,
      options: { ...options, json: { type: "boolean" } },
      allowPositionals: command.options.includes("id"),
    });
    const { json, ...named } = values;
    const [id, ...more] = positionals;
    if (more.length > 0) return `There is one word too many: "${more[0]}".`;
    const input = { ...(id === undefined ? {} : { id }), ...named };
    const missing = command.required.find(
      (name) => !Object.entries(input).some(([key, value]) => key === name && value !== ""),
    );
    return missing === undefined ? { input, json: json === true } : `--${missing} is missing.`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function asksForHelp(words: string[]): boolean {
  return words.includes("--help") || words.includes("-h");
}

function explain(words: string[]): number {
  const wanted = words.length === 0 || words[0] === "help" || asksForHelp(words);
  const lines = Object.entries(commands).map(([name, { usage }]) => `  lumenone ${name} ${usage}`.trimEnd());
  const text = ["Usage (each takes --json):", ...lines].join("\n");
  if (wanted) console.log(text);
  else console.error(`There is no command "${words.slice(0, 2).join(" ")}".\n${text}`);
  return wanted ? 0 : USAGE_ERROR;
}

function print(result: unknown, json: boolean): void {
  if (json) console.log(JSON.stringify(result));
  else if (Array.isArray(result)) for (const item of result) console.log(oneLine(item));
  else
    for (const [name, value] of Object.entries({ ...Object(result) })) console.log(`${name}: ${show(value)}`);
}

function oneLine(item: unknown): string {
  return Object.entries({ ...Object(item) })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${show(value)}`)
    .join("  ");
}

function show(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

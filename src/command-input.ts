import type { App } from "./context.ts";
import type { Caller } from "./http/caller.ts";
import { Problem } from "./http/problem.ts";

/** Options as typed on the command line, without the dashes. */
export type CommandInput = Readonly<Record<string, string | undefined>>;

/** One `lumenone` command. The command line runs it itself, or asks the running server to. */
export interface Command {
  usage: string;
  /** Names of options that take a value. */
  options: readonly string[];
  /** Those of them that cannot be left out. */
  required: readonly string[];
  run(app: App, input: CommandInput): Promise<unknown>;
}

/** Who types a command: a superadmin, who acts for a partner. */
export function operator(app: App, partnerId: string): Caller {
  return { partnerId, actor: { kind: "superadmin", id: null }, requestId: `cli-${app.newId()}` };
}

export function required(input: CommandInput, name: string): string {
  const value = input[name];
  if (value === undefined || value === "") throw new Problem("invalid_request", `--${name} is missing.`);
  return value;
}

export function uuid(text: string, option: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
    throw new Problem("invalid_request", `${option} takes a UUID, not "${text}".`);
  }
  return text.toLowerCase();
}

export function wholeNumber(input: CommandInput, name: string): number {
  const text = input[name] ?? "";
  if (!/^\d{1,9}$/.test(text))
    throw new Problem("invalid_request", `--${name} takes a whole number, not "${text}".`);
  return Number(text);
}

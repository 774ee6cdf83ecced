import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";

/** In the order in which they are read: each uses what stands before it. */
const FILES = [
  "protocol",
  "answers",
  "page",
  "parent",
  "outcome",
  "server",
  "popup",
  "new-tab",
  "start",
] as const;

let script: string | undefined;

/**
 * The page's script as one module: the files of `browser/` without their types, their imports of one another and the
 * comments that stand on lines of their own. Their top-level names are unique, since they end in one scope. Made when the first page is
 * asked for, so that a process that serves none does no work.
 */
export function browserScript(): string {
  script ??= FILES.map((name) =>
    strip(readFileSync(new URL(`./browser/${name}.ts`, import.meta.url), "utf8")),
  ).join("\n");
  return script;
}

function strip(source: string): string {
  return stripTypeScriptTypes(source)
    .replace(/^import\s[^;]*;$/gm, "")
    .replace(/^export /gm, "")
    .replace(/^[ \t]*\/\*\*[\s\S]*?\*\/[ \t]*$/gm, "")
    .replace(/^[ \t]*\/\/.*$/gm, "")
    .replace(/[ \t]+$/gm, "")
    .replace(/^[ \t]+/gm, "")
    .replace(/\n{2,}/g, "\n");
}

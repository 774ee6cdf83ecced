import { joinBrowserScript } from "../../http/browser-script.ts";

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

/** Made when the first page is asked for, so that a process that serves none does no work. */
export function browserScript(): string {
  script ??= joinBrowserScript(FILES.map((name) => new URL(`./browser/${name}.ts`, import.meta.url)));
  return script;
}

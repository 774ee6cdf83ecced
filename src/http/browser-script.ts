import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";

/**
 * A page's script as one module: its files without their types, their imports of one another and the comments that stand
 * on lines of their own. Their top-level names are unique, since they end in one scope.
 *
 * @param files in the order in which they are read: each uses what stands before it
 */
export function joinBrowserScript(files: readonly URL[]): string {
  return files.map((file) => strip(readFileSync(file, "utf8"))).join("\n");
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

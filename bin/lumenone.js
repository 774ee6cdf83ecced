#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// The machine's own Node may be too old to run TypeScript; the one among the dependencies is not.
const require = createRequire(import.meta.url);
const node = join(dirname(require.resolve("node/package.json")), "bin", "node");
const cli = join(dirname(fileURLToPath(import.meta.url)), "..", "src", "cli.ts");
// As `enableCompileCache()` does for the server: the second command answers in half the time.
const NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), "node-compile-cache");
const { status } = spawnSync(node, [cli, ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, NODE_COMPILE_CACHE },
});
process.exitCode = status ?? 1;

import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findOffences, findStaleLoans, importsOf, type SourceFile, withoutComments } from "./rooms.ts";

const SRC = fileURLToPath(new URL("../src", import.meta.url));

describe("the rooms", () => {
  test("every file of src/ keeps to its room", () => {
    expect(findOffences(sourceFiles())).toEqual([]);
  });

  test("no exception outlives its reason", () => {
    expect(findStaleLoans(sourceFiles())).toEqual([]);
    expect(findStaleLoans([]).length).toBeGreaterThan(0);
  });

  test("there are files to look at", () => {
    const paths = sourceFiles().map(({ path }) => path);
    expect(paths).toContain("workspaces/workspaces.service.ts");
    expect(paths.length).toBeGreaterThan(80);
  });
});

const TABLES = [
  file(
    "organizations/organizations.tables.ts",
    "export interface T {\n  organizations: {\n    id: number;\n  };\n}\n",
  ),
  file("tools/tools.tables.ts", "export interface T {\n  tools: { id: number };\n}\n"),
];

describe("what the check refuses", () => {
  test.each([
    ["http/page.ts", 'import { app } from "../app.ts";', "imports app.ts"],
    ["http/page.ts", 'import { createDatabase } from "../db/database.ts";', "imports db/database.ts"],
    ["http/page.ts", 'import type { Queue } from "../jobs/queue.ts";', "imports jobs/queue.ts"],
    ["db/lock.ts", 'import { Problem } from "../http/problem.ts";', "imports http/problem.ts"],
    ["ports/carrier.ts", 'import type { App } from "../context.ts";', "imports context.ts"],
    ["ports/carrier.ts", 'import type { Tx } from "../db/database.ts";', "ports import nothing of ours"],
    [
      "jobs/queue.ts",
      'import { getTool } from "../tools/tools.service.ts";',
      "jobs imports db and http only",
    ],
    [
      "accounts/a.ts",
      'import { getTool } from "../tools/tools.service.ts";',
      "tools does not come before accounts",
    ],
    [
      "accounts/a.ts",
      'import type { Tool } from "../tools/tools.schemas.ts";',
      "imports tools/tools.schemas.ts",
    ],
    ["tools/a.ts", 'import { list } from "../audit/audit.service.ts";', "audit does not come before tools"],
    ["tools/a.ts", 'import { openApp } from "../app.ts";', "imports app.ts"],
    ["tools/a.ts", 'import { readConfig } from "../config.ts";', "imports config.ts"],
    [
      "voice/a.ts",
      'import { x } from "../providers/twilio/twilio-carrier.ts";',
      "vendors meet ports at the top only",
    ],
    ["tools/a.ts", 'const x = await import("../usage/usage.service.ts");', "imports usage/usage.service.ts"],
    [
      "tools/a.ts",
      'import {\n  type One,\n  two,\n} from "../voice/voice.service.ts";',
      "imports voice/voice.service.ts",
    ],
    ["tools/a.ts", 'import "../voice/voice.service.ts";', "imports voice/voice.service.ts"],
    [
      "tools/a.ts",
      'import type { T } from "../organizations/organizations.tables.ts";',
      "a room's tables are its own",
    ],
    ["providers/twilio/a.ts", 'import { x } from "../telnyx/b.ts";', "providers import ports only"],
    ["providers/base.ts", 'import { x } from "./telnyx/b.ts";', "providers import ports only"],
    [
      "providers/twilio/a.ts",
      'import { Problem } from "../../http/problem.ts";',
      "providers import ports only",
    ],
    ["tools/a.ts", "const key = process.env.KEY;", "uses process.env"],
    ["server.ts", "const key = process.env.KEY;", "uses process.env"],
    ["tools/a.ts", "const now = Date.now();", "uses Date.now()"],
    ["tools/a.ts", "const now = new Date();", "uses new Date() without a time"],
    ["tools/a.ts", "const x = Math.random();", "uses Math.random()"],
    ["tools/a.ts", 'await fetch("https://example.com");', "uses the global fetch"],
    ["tools/a.ts", "export default 1;", "uses a default export"],
    ["tools/a.ts", 'export { b } from "./b.ts";', "uses a re-export"],
    ["tools/a.ts", 'export * from "./b.ts";', "uses a re-export"],
    ["tools/index.ts", "", "has a name that says nothing"],
    ["kitchen/a.ts", "", "lies in kitchen/, which is no room"],
    ["tools/a.ts", 'tx.selectFrom("organizations").selectAll();', "touches the table organizations"],
    ["tools/a.ts", 'q.innerJoin("organizations", "a", "b");', "touches the table organizations"],
    ["tools/a.ts", 'tx.deleteFrom(\n  "organizations",\n)', "touches the table organizations"],
    ["tools/a.ts", "sql`select 1 from organizations`", "touches the table organizations"],
    [
      "tools/a.ts",
      "sql<{ n: number }>`update organizations set name = ''`",
      "touches the table organizations",
    ],
    [
      "tools/a.ts",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a template
      'f(table: "organizations") { sql`${sql.table(table)}` }',
      "touches the table organizations",
    ],
    ["tools/attach.ts", 'app.db.asSystem("superadmin", work);', "elevates with asSystem"],
    ["tools/a.ts", "\n".repeat(400), "has 401 lines"],
  ])("%s: %s", (path, text, complaint) => {
    const offences = findOffences([...TABLES, file(path, text)]);
    expect(offences).toHaveLength(1);
    expect(offences[0]).toContain(`${path} `);
    expect(offences[0]).toContain(complaint);
  });
});

describe("what the check lets pass", () => {
  test.each([
    ["server.ts", 'import { x } from "./providers/twilio/a.ts";\nimport { y } from "./tools/b.ts";'],
    [
      "http/mount.ts",
      'import type { App } from "../context.ts";\nimport type { Tx } from "../db/database.ts";',
    ],
    ["tools/a.ts", 'import type { App } from "../context.ts";\nimport { record } from "../audit/record.ts";'],
    ["tools/a.ts", 'import { recordEvent } from "../webhooks/record-event.ts";'],
    ["documents/a.ts", 'import { countUsage } from "../usage/count.ts";'],
    ["tools/a.ts", 'import { getOrganization } from "../organizations/organizations.service.ts";'],
    ["voice/a.ts", 'import type { Carrier } from "../ports/carrier.ts";'],
    [
      "providers/twilio/a.ts",
      'import type { C } from "../../ports/carrier.ts";\nimport { b } from "../base.ts";',
    ],
    ["providers/twilio/deep/a.ts", 'import { b } from "../b.ts";'],
    ["tools/a.ts", "// Date.now() is not for us\n/* process.env\n neither */\nconst at = new Date(0);"],
    ["tools/a.ts", "const now = app.now();\nawait options.fetch(url);\nawait prefetch(url);"],
    ["tools/a.ts", 'tx.selectFrom("tools").selectAll();'],
    ["tools/a.ts", "const text = 'take it from organizations';"],
    ["tools/tools.erase.ts", 'app.db.asSystem("erasure", work);'],
    ["tools/a.ts", `// One table of constants, better read in one piece.${"\n".repeat(500)}`],
  ])("%s: %s", (path, text) => {
    expect(findOffences([...TABLES, file(path, text)])).toEqual([]);
  });
});

describe("the reading of sources", () => {
  test("comments go, strings and regular expressions stay", () => {
    const text =
      'const a = "// not a comment"; // a comment\nconst b = /"\\/\\*/; /* gone */ const c = `//x`;';
    expect(withoutComments(text).trimEnd()).toBe(
      'const a = "// not a comment";             \nconst b = /"\\/\\*/;            const c = `//x`;',
    );
  });

  test("an import of types only is told from one that loads", () => {
    const text =
      'import type { A } from "./a.ts";\nimport { type B } from "./b.ts";\nimport c, {\n  d,\n} from "./c.ts";\n' +
      'export type { E } from "./e.ts";\nimport "./f.ts";\nconst g = await import("./g.ts");\n' +
      'export const x = "./no.ts";\n';
    expect(importsOf(text)).toEqual([
      { target: "./a.ts", typeOnly: true },
      { target: "./b.ts", typeOnly: false },
      { target: "./c.ts", typeOnly: false },
      { target: "./e.ts", typeOnly: true },
      { target: "./f.ts", typeOnly: false },
      { target: "./g.ts", typeOnly: false },
    ]);
  });
});

function file(path: string, text: string): SourceFile {
  return { path, text };
}

/** Tests beside the code may reach for anything. */
function sourceFiles(): SourceFile[] {
  return globSync("**/*.ts", { cwd: SRC })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => !path.endsWith(".test.ts"))
    .sort()
    .map((path) => file(path, readFileSync(`${SRC}/${path}`, "utf8")));
}

import { dirname, join } from "node:path/posix";

/** A file of `src/`: its path below `src/`, with `/`, and its text. */
export interface SourceFile {
  path: string;
  text: string;
}

/** Product areas, lowest first: each may ask those before it, none of those behind it. */
const AREAS = [
  "partners",
  "accounts",
  "organizations",
  "models",
  "workspaces",
  "retrieval",
  "documents",
  "tools",
  "conversations",
  "assistant",
  "numbers",
  "voice",
  "whatsapp",
  "webhooks",
  "audit",
  "usage",
  "console",
  "admin",
];
const GROUND = ["http", "db", "ports", "jobs", "providers"];

/** What stands at the top and may be named from below, by its types only. */
const HANDED_IN = ["context.ts", "config.ts"];

/** What every area may call, although its room comes behind them all: it writes in the caller's own transaction. */
const SHARED_BY_ALL = ["audit/record.ts", "webhooks/record-event.ts", "usage/count.ts"];

/** Files of rooms that read or write a table of another room, and why that is right. */
const TABLES_LENT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "workspaces/find.ts": {
    organizations: "a workspace answers with its organization's slug, and one query is the fast path",
  },
  "organizations/slug.ts": {
    workspaces: "free slugs are found in the same way for both; the table is the caller's",
  },
  "documents/find.ts": {
    workspaces: "a document answers with the slugs of its workspaces, and one query lists a page",
  },
  "documents/membership.ts": {
    jobs: "what already waits to be embedded is left out of the search for what is outdated",
  },
  "webhooks/record-event.ts": {
    partners: "whether the partner listens at all is asked in the statement that records the event",
  },
  "usage/meter.ts": {
    organizations:
      "what was counted for an organization that is gone is dropped in the statement that writes the rest",
  },
  "usage/storage.ts": {
    organization_storage: "what their originals take is looked at for all of them in one statement",
  },
  "voice/number-link.ts": {
    workspaces: "a number answers with the slug of the workspace it is linked to, and one query lists a page",
  },
  "usage/usage.service.ts": {
    organizations: "those being erased are left out in the same query",
    organization_storage: "what is stored now counts for today, in the same query",
  },
  "whatsapp/page-token.ts": {
    accounts: "whether a link is still good depends on its account, and one query renders the page",
    workspaces: "the page names the workspace it connects, in the same query",
    api_keys: "a link dies with the key that made it, in the same query",
  },
  "voice/relay/find-called.ts": {
    numbers: "the number that was called says whose call it is, and the phone rings while it is looked up",
    workspaces: "a call is answered by a workspace, which is found in the same statement",
    accounts: "a suspended account answers no calls, and that is asked in the same statement",
  },
  "voice/vapi/find-assistant.ts": {
    workspaces: "what is being erased answers no calls, and that is asked in the same statement",
    accounts: "a suspended account answers no calls, and that is asked in the same statement",
  },
  "accounts/accounts.erase.ts": {
    idempotency_keys: "stored answers hold an account's data and go with it; http has no erase step",
  },
};

/** Who may look past one tenant with `asSystem`, and why. */
const SYSTEM_ALLOWED: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^partners\//, "a key is found before anybody knows whose it is; partners are the superadmin's"],
  [/^jobs\//, "workers serve every tenant's lane"],
  [/^webhooks\//, "an inbox is filled before anybody knows whose message it is"],
  [
    /^whatsapp\/(inbox|answer-claim|answer|send|page-token|maintain|disconnect\.jobs)/,
    "what Meta sends, and who opens a link, is known before its tenant is",
  ],
  [
    /^voice\/(sweep-calls|search-calls)\.ts$/,
    "lost calls are anybody's; no policy lets the search for words use its index",
  ],
  [
    /^voice\/engine\/(bring|refresh)-/,
    "jobs tell engines of what every tenant has, and of numbers that nobody has any more",
  ],
  [
    /^voice\/vapi\/(find-assistant|reconcile-calls)\.ts$/,
    "whose call Vapi tells of, or has not told of for long, is known before its tenant is",
  ],
  [/^voice\/relay\/find-called\.ts$/, "whose number rings is known before its tenant is"],
  [/\.erase\.ts$/, "an erasure runs as a job, after its tenant is out of reach"],
  [/^http\/idempotency-store\.ts$/, "old records of all tenants are forgotten together"],
  [/^db\/signals\.ts$/, "the poll for changes belongs to no tenant"],
  [/^conversations\/retention\.ts$/, "what is too old is looked for in all tenants together"],
  [/^documents\/maintain\.ts$/, "orphans and outdated segments are looked for in all tenants together"],
  [/^organizations\/organizations\.service\.ts$/, "the superadmin gives any organization its quota"],
  [/^usage\/(meter|storage)\.ts$/, "what all tenants used is written in one statement"],
  [/^models\/models\.service\.ts$/, "rotate-secrets seals the keys of all tenants anew"],
  [
    /^numbers\/(fulfil|attach|release|orders|order-numbers|reconcile)\.ts$/,
    "the superadmin gives numbers to any tenant, and the pool belongs to none",
  ],
  [/^tools\/tools\.service\.ts$/, "rotate-secrets seals the secrets of all tenants anew"],
];

/** Words that reach for the surroundings instead of being handed them. */
const FORBIDDEN: readonly (readonly [pattern: RegExp, name: string, except: readonly string[]])[] = [
  [/\bprocess\.env\b/, "process.env", ["config.ts", "main.ts", "cli.ts"]],
  // A UUID of version 7 begins with the time; it is what `newId` is made of.
  // `Retry-After` may be a date, which means the wall clock.
  [/\bDate\.now\(/, "Date.now()", ["http/uuid.ts", "providers/failed-answer.ts"]],
  // `app.ts` makes the clock that everybody is handed.
  [/\bnew Date\(\s*\)/, "new Date() without a time", ["app.ts"]],
  [/\bMath\.random\(/, "Math.random()", []],
  // The page that it sends fetches in the browser.
  [
    /(?<![.\w])fetch\(|(?<!typeof )\bglobalThis\.fetch\b(?!\s*=[^=])/,
    "the global fetch",
    ["reference-page.ts"],
  ],
  [/\bexport\s+default\b/, "a default export", []],
  [/\bexport\s+(?:type\s+)?(?:\*|\{[^}]*\})\s*(?:as\s+\w+\s*)?from\b/, "a re-export (barrel)", []],
];

const LONG_LINES = 400;

/** Every place where `files` break the rules of the house, as a sentence that names file and edge. */
export function findOffences(files: readonly SourceFile[]): string[] {
  const owners = tableOwners(files);
  return files.flatMap((file) => {
    const code = withoutComments(file.text);
    return [
      ...checkName(file),
      ...checkImports(file.path, code),
      ...checkForbidden(file.path, code),
      ...checkTables(file.path, code, owners),
      ...checkSystem(file.path, code),
    ].map((offence) => `${file.path} ${offence}`);
  });
}

function checkName({ path, text }: SourceFile): string[] {
  const offences: string[] = [];
  const room = roomOf(path);
  const name = path.split("/").at(-1) ?? "";
  if (room !== "" && !AREAS.includes(room) && !GROUND.includes(room))
    offences.push(`lies in ${room}/, which is no room`);
  if (/^(index|utils?|helpers?)\.ts$/.test(name)) offences.push("has a name that says nothing");
  const lines = text.split("\n").length;
  if (lines > LONG_LINES && !/^\/[/*]/.test(text)) {
    offences.push(`has ${lines} lines; more than ${LONG_LINES} need a reason in the first line`);
  }
  return offences;
}

function checkImports(path: string, code: string): string[] {
  return importsOf(code).flatMap(({ target, typeOnly }) => {
    if (!target.startsWith(".")) return [];
    const to = join(dirname(path), target);
    const complaint = to.startsWith("../") ? undefined : complaintAbout(path, to, typeOnly);
    return complaint === undefined ? [] : [`imports ${to}: ${complaint}`];
  });
}

function complaintAbout(from: string, to: string, typeOnly: boolean): string | undefined {
  const [room, other] = [roomOf(from), roomOf(to)];
  if (/\.tables\.ts$/.test(to) && other !== room && from !== "db/tables.ts")
    return "a room's tables are its own";
  if (room === "") return undefined;
  if (room === "providers") return complaintAboutProvider(from, to);
  if (other === room) return undefined;
  if (other === "") {
    const handedIn = HANDED_IN.includes(to) && room !== "ports";
    return handedIn && typeOnly ? undefined : "a room names only types of context.ts and config.ts";
  }
  if (from === "db/tables.ts" && /\.tables\.ts$/.test(to) && typeOnly) return undefined;
  switch (room) {
    case "ports":
      return "ports import nothing of ours";
    case "http":
    case "db":
      return typeOnly && ["http", "db"].includes(other)
        ? undefined
        : `${room} imports nothing of ours but types of http and db`;
    case "jobs":
      return ["http", "db"].includes(other) ? undefined : "jobs imports db and http only";
    default:
      return complaintAboutArea(room, other, to);
  }
}

function complaintAboutArea(room: string, other: string, to: string): string | undefined {
  if (["http", "db", "jobs", "ports"].includes(other) || SHARED_BY_ALL.includes(to)) return undefined;
  if (other === "providers") return "vendors meet ports at the top only";
  return AREAS.indexOf(other) < AREAS.indexOf(room) ? undefined : `${other} does not come before ${room}`;
}

/** Vendors may share what lies directly in `providers/`, but not know one another. */
function complaintAboutProvider(from: string, to: string): string | undefined {
  const shared = roomOf(to) === "providers" && to.split("/").length === 2;
  const own =
    dirname(from) !== "providers" && `${to}/`.startsWith(`${from.split("/").slice(0, 2).join("/")}/`);
  return roomOf(to) === "ports" || shared || own ? undefined : "providers import ports only";
}

/** The folder directly below `src/`, or `""` for a file at the top, which may import everything. */
function roomOf(path: string): string {
  return path.includes("/") ? (path.split("/")[0] ?? "") : "";
}

/** Static, dynamic and side-effect imports and re-exports. `typeOnly` disappears when the program runs. */
export function importsOf(code: string): { target: string; typeOnly: boolean }[] {
  const statics =
    /(?:^|[\n;])\s*(?:import|export)\s+(type\s+(?!from\b)[^"';=]*?\sfrom\s+|[^"';=(]*?\sfrom\s+)?["']([^"']+)["']/g;
  const dynamics = /(?<![.\w])(?:import|require)\(\s*["']([^"']+)["']/g;
  const found = [...code.matchAll(statics)].map(([, clause, target = ""]) => ({
    target,
    typeOnly: clause?.startsWith("type ") ?? false,
  }));
  return [...found, ...[...code.matchAll(dynamics)].map(([, target = ""]) => ({ target, typeOnly: false }))];
}

function checkForbidden(path: string, code: string): string[] {
  return FORBIDDEN.flatMap(([pattern, name, except]) =>
    pattern.test(code) && !except.includes(path) ? [`uses ${name}`] : [],
  );
}

/** Whose each table is: the room whose `.tables.ts` (or `db/tables.ts`) declares it. */
function tableOwners(files: readonly SourceFile[]): Map<string, string> {
  const owners = new Map<string, string>();
  for (const { path, text } of files) {
    if (!/(^|[./])tables\.ts$/.test(path)) continue;
    for (const [, table = ""] of text.matchAll(/(?:^ {2}|& \{ )(\w+): \{/gm)) owners.set(table, roomOf(path));
  }
  return owners;
}

function checkTables(path: string, code: string, owners: ReadonlyMap<string, string>): string[] {
  const room = roomOf(path);
  if (room === "") return [];
  const lent = TABLES_LENT[path] ?? {};
  const foreign = [...tablesIn(code)].filter(
    (table) => (owners.get(table) ?? room) !== room && !(table in lent),
  );
  return foreign.map((table) => `touches the table ${table}, which is ${owners.get(table)}'s`);
}

/** Entries of {@link TABLES_LENT} that no longer say anything true: the file is gone, or leaves the table alone. */
export function findStaleLoans(files: readonly SourceFile[]): string[] {
  return Object.entries(TABLES_LENT).flatMap(([path, tables]) => {
    const touched = tablesIn(files.find((file) => file.path === path)?.text ?? "");
    return Object.keys(tables)
      .filter((table) => !touched.has(table))
      .map((table) => `${path} ${table}`);
  });
}

/** Tables named to the query builder, and in SQL written out in `sql` templates. */
function tablesIn(code: string): Set<string> {
  const tables = new Set<string>();
  const builder =
    /\b(?:selectFrom|insertInto|updateTable|deleteFrom|mergeInto|using|\w+Join(?:Lateral)?)\(\s*\[?\s*["'](\w+)/g;
  for (const [, table = ""] of code.matchAll(builder)) tables.add(table);
  // Handed on by name to what deletes little by little.
  for (const [, table = ""] of code.matchAll(/\b(?:deleteSome|eraseRows)\(\s*\w+,\s*["'](\w+)/g))
    tables.add(table);
  for (const [, table = ""] of code.matchAll(/\bsql\.table\(\s*["'](\w+)/g)) tables.add(table);
  // A table that is chosen while the program runs is named by its type: `"organizations" | "workspaces"`.
  if (/\bsql\.table\(\s*\w+\s*\)/.test(code))
    for (const [, table = ""] of code.matchAll(/["'](\w+)["']/g)) tables.add(table);
  for (const [, text = ""] of code.matchAll(/\bsql(?:<[^`]*?>)?`([^`]*)`/g))
    for (const [, table = ""] of text.matchAll(/\b(?:from|join|update|into)\s+(\w+)/gi)) tables.add(table);
  return tables;
}

function checkSystem(path: string, code: string): string[] {
  if (roomOf(path) === "" || path === "db/database.ts") return [];
  const allowed = SYSTEM_ALLOWED.some(([pattern]) => pattern.test(path));
  return /\basSystem\s*(?:<[^(]*>)?\(/.test(code) && !allowed ? ["elevates with asSystem"] : [];
}

/** The text with its comments blanked; strings, templates and regular expressions are left as they are. */
export function withoutComments(text: string): string {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`|(?<=[=(,:[!&|?{};+]\s*|\breturn\s+)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;
  return text.replace(token, (found) => (/^\/[/*]/.test(found) ? found.replace(/[^\n]/g, " ") : found));
}

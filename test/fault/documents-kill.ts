import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { collectOrphans } from "../../src/documents/maintain.ts";
import { documentsPath, formOf, rowsOf, sendForm, until } from "../document-support.ts";
import { simulatorKey, startOpenaiSimulator } from "../simulators/openai/openai-simulator.ts";
import { client, hex, startTestServer, type World } from "../support.ts";
import type { Experiment, Outcome } from "./experiment.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const FILES_A_ROUND = 8;
const KILL_WITHIN_MS = 3_500;
const HOUR_MS = 3_600_000;

interface Running {
  child: ChildProcess;
  url: string;
}

/**
 * Kills a server with SIGKILL while it takes in, reads and embeds documents, starts it again, and looks whether every
 * document it had accepted is there once: one row, one passage, no file that nobody refers to.
 */
export const killDuringIngest: Experiment = {
  about: "kill -9 while documents are taken in, read and embedded: each accepted one is there, once",
  rounds: 50,
  run,
};

async function run({ settings, rounds, progress }: Parameters<Experiment["run"]>[0]): Promise<Outcome> {
  const simulator = await startOpenaiSimulator({ delayMs: 150, record: false });
  const environment: Record<string, string> = {
    ...settings,
    EMBEDDING_PROVIDER: "openai-compatible",
    EMBEDDING_BASE_URL: `${simulator.url}/v1`,
    EMBEDDING_API_KEY: simulatorKey,
    EMBEDDING_MODEL: "text-embedding-3-small",
  };
  const accepted: string[] = [];
  const sent: string[] = [];
  const faults: string[] = [];
  let world: World | undefined;
  let server = await start(environment);
  try {
    for (let round = 1; round <= rounds; round += 1) {
      world = await worldOf(environment.DATA_DIR ?? "", server.url);
      const uploads = uploadAll(server, world, round, sent, accepted);
      await sleep(Math.random() * KILL_WITHIN_MS);
      await kill(server.child);
      await uploads;
      server = await start(environment);
      world = await worldOf(environment.DATA_DIR ?? "", server.url);
      await settled(world);
      const found = await look(world, sent, accepted);
      faults.push(...found.map((fault) => `round ${round}: ${fault}`));
      progress(`round ${round}: ${accepted.length} accepted of ${sent.length}, ${found.length} faults`);
    }
  } finally {
    await kill(server.child);
  }
  if (world !== undefined) faults.push(...(await lookInside(environment, world)));
  await simulator.close();
  return { figures: { rounds, sent: sent.length, accepted: accepted.length }, violations: faults };
}

async function start(environment: Record<string, string>): Promise<Running> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN], {
    env: { PATH: process.env.PATH, ...environment, PORT: "0", LOG_LEVEL: "fatal", BOOTSTRAP: "demo" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /ready at (http:\S+)/.exec(line)?.[1];
    if (url !== undefined) return { child, url };
  }
  throw new Error("the server ended before it was ready");
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** The demo tenant, in the words of the tests. */
async function worldOf(dataDir: string, url: string): Promise<World> {
  const demo = JSON.parse(await readFile(join(dataDir, "bootstrap.json"), "utf8"));
  const api = client(url, demo.api_key, demo.account_id);
  const { body } = await api.get(`/v1/workspace/${hex(demo.workspace_slug)}`);
  return {
    partner: { id: demo.partner_id, key: demo.api_key },
    accountId: demo.account_id,
    orgSlug: demo.org_slug,
    workspaceSlug: demo.workspace_slug,
    organizationId: body.workspace.organization.id,
    workspaceId: body.workspace.id,
    api,
  };
}

/** Some wait for the answer, some do not; half of those of an odd round replace the round before. */
async function uploadAll(server: Running, world: World, round: number, sent: string[], accepted: string[]) {
  const one = async (i: number) => {
    const name = `zq${round}x${i}`;
    const text = Array.from({ length: 40 }, (_, line) => `The word of paragraph ${line} is ${name}v${line}.`);
    const form = formOf(
      { name: `${name}.txt`, content: text.join("\n\n") },
      // Those without an id of the sender's go the short way, without a job.
      { addToWorkspaces: world.workspaceSlug, ...(i % 2 === 0 ? { external_id: name } : {}) },
    );
    sent.push(name);
    const path = i % 2 === 0 ? "?wait=0" : "";
    const reply = await sendForm(server, world, form, { path }).catch(() => undefined);
    if (reply?.status === 200 || reply?.status === 202) accepted.push(name);
  };
  await Promise.all(Array.from({ length: FILES_A_ROUND }, (_, i) => one(i)));
}

async function listed(world: World): Promise<{ title: string; status: string; workspaces: string[] }[]> {
  const { body } = await world.api.get(documentsPath(world, "/folder/custom-documents?limit=500"));
  return body.documents;
}

async function settled(world: World): Promise<void> {
  await until(async () => (await listed(world)).every(({ status }) => status !== "processing"), 60_000);
}

async function look(world: World, sent: string[], accepted: string[]): Promise<string[]> {
  const faults: string[] = [];
  const documents = await listed(world);
  const titles = documents.map(({ title }) => title.replace(/\.txt$/, ""));
  for (const name of accepted) if (!titles.includes(name)) faults.push(`${name} was accepted and is lost`);
  if (new Set(titles).size !== titles.length) faults.push("a document is there twice");
  for (const { title, status, workspaces } of documents) {
    if (status !== "ready") faults.push(`${title} is ${status}`);
    if (!workspaces.includes(world.workspaceSlug)) faults.push(`${title} is not in the workspace`);
  }
  const path = `/v1/workspace/${hex(world.workspaceSlug)}`;
  const { totals } = (await world.api.get(path)).body.workspace;
  const chunks = new Set<number>();
  for (const name of titles.slice(-FILES_A_ROUND)) {
    const search = { query: `${name}v7`, scoreThreshold: 0, topN: 50 };
    const { body } = await world.api.post(`${path}/vector-search`, search);
    const hits = body.results.filter(({ text }: { text: string }) => text.includes(`${name}v7.`));
    chunks.add(hits.length);
    if (hits.length !== 1) faults.push(`the passage of ${name} is found ${hits.length} times`);
  }
  if (totals.documents !== documents.length) {
    faults.push(
      `${totals.documents} documents are in the workspace, ${documents.length} in the organization`,
    );
  }
  if (documents.length > 0 && totals.chunks % documents.length !== 0)
    faults.push("passages are lost or doubled");
  if (documents.length > sent.length) faults.push("there are more documents than were sent");
  return faults;
}

/** After all: what the database names and what the store holds are the same. */
async function lookInside(environment: Record<string, string>, world: World): Promise<string[]> {
  const server = await startTestServer(environment);
  const faults: string[] = [];
  await collectOrphans({ ...server.app, now: () => new Date(Date.now() + 25 * HOUR_MS) });
  const { documents, contents, segments, members, storageBytes } = await rowsOf(server, world);
  const known = [
    ...contents.flatMap(({ original_key, parsed_key }) => [
      original_key,
      ...(parsed_key === null ? [] : [parsed_key]),
    ]),
    ...segments.map(({ file_key }) => file_key),
  ].sort();
  const stored: string[] = [];
  for (const kind of ["originals", "parsed", "segments"]) {
    for await (const { key } of server.app.files.list(`${kind}/`)) stored.push(key);
  }
  if (JSON.stringify(stored.sort()) !== JSON.stringify(known))
    faults.push("the store holds other files than the database names");
  for (const [what, rows] of Object.entries({ contents, segments, members })) {
    if (rows.length !== documents.length)
      faults.push(`${documents.length} documents, but ${rows.length} ${what}`);
  }
  const bytes = contents.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  if (bytes !== storageBytes) faults.push(`${storageBytes} bytes are counted, ${bytes} are stored`);
  await server.close();
  return faults;
}

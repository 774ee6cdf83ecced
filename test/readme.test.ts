import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { holds } from "../eval/measure.ts";
import { readConfig } from "../src/config.ts";
import { temporaryFolder } from "./support.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const readme = await readFile(join(ROOT, "README.md"), "utf8");
/** Settings that become one group in the configuration, by the default that an empty environment shows. */
const GROUPED: Readonly<Record<string, string>> = {
  LLM_PROVIDER: readConfig({}).llm === undefined ? "none" : "set",
  EMBEDDING_PROVIDER: readConfig({}).embedding === undefined ? "none" : "set",
  META_SIGNUP_EXTRAS: '{"setup":{}}',
  FILE_STORE: readConfig({}).s3 === undefined ? "disk" : "s3",
  MAX_UPLOAD_MB: String(readConfig({}).maxUploadBytes / 1024 / 1024),
};
const MARK = "---- next block ----";

/** A `bash` block, and the answer that the README prints below it. */
interface Example {
  command: string;
  answer: string;
}

const examples: Example[] = [
  ...readme.matchAll(/```bash\n([\s\S]*?)```\n\n```(?:json|text)\n([\s\S]*?)```/g),
].map(([, command = "", answer = ""]) => ({ command, answer }));

describe("the README's examples", async () => {
  const server = await startFresh();
  afterAll(async () => {
    // A supervisor stops npm: the server must end with it, and not live on by itself.
    expect(await server.stop()).toBe(0);
    await expect(fetch(`${server.url}/health/live`)).rejects.toThrow();
  });
  const printed = await runAll(server);

  test("every command has its answer", () => {
    expect(examples.length).toBe(readme.match(/```bash\n/g)?.length);
    expect(examples.length).toBeGreaterThan(6);
  });

  test.each(examples.map(({ command, answer }, index) => [command.split("\n").find(isCall), answer, index]))(
    "%s",
    (_name, answer, index) => {
      expect(normal(printed[Number(index)] ?? "")).toEqual(normal(String(answer)));
    },
  );

  test("what the assistant says in them is true, and cited", async () => {
    const texts = await readExamples();
    const cited = printed.flatMap((answer) => answer.split("\n")).filter((line) => / \[\d\]$/.test(line));
    expect(cited.length).toBeGreaterThan(3);
    for (const line of cited) {
      const sentence = line.replace(/^> /, "").replace(/ \[\d\]$/, "");
      expect(holds(texts, sentence), sentence).toBe(true);
    }
  });
});

/** What the example files say, in the form they are made from. */
async function readExamples(): Promise<string> {
  const names = [
    "source/larice-duo-manual.md",
    "source/condizioni-reso-garanzia.md",
    "source/prezzi.json",
    "delivery-and-service.html",
    "domande-frequenti.md",
  ];
  const texts = await Promise.all(names.map((name) => readFile(join(ROOT, "examples", name), "utf8")));
  return texts.join("\n");
}

describe("the README's table of settings", async () => {
  const carriers = await readFile(join(ROOT, "src/carrier-settings.ts"), "utf8");
  const vapi = await readFile(join(ROOT, "src/vapi-settings.ts"), "utf8");
  const source = (await readFile(join(ROOT, "src/config.ts"), "utf8"))
    .replace("...carrierSettings", carriers)
    .replace("...vapiSettings", vapi);
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` +\| (.*?) +\| (.*) \|$/gm)].map(
    ([, name = "", value = ""]) => ({
      name,
      value: value.trim(),
    }),
  );

  test("names every setting that the code reads, and no other", () => {
    const read = [...source.matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(([, name]) => name);
    expect(read.length).toBeGreaterThan(8);
    expect(rows.map(({ name }) => name)).toEqual(read);
  });

  test("gives the defaults that hold", () => {
    const config = new Map(Object.entries(readConfig({})));
    for (const { name, value } of rows) {
      const inCode =
        config.get(name.toLowerCase().replace(/_(\w)/g, (_, letter) => letter.toUpperCase())) ??
        defaultInSource(source, name);
      const shown = /^`(.*)`$/.exec(value)?.[1];
      expect(shown, name).toBe(GROUPED[name] ?? (inCode === undefined ? undefined : String(inCode)));
    }
  });
});

/** Of a setting that becomes part of a group which an empty environment does not show. */
function defaultInSource(source: string, name: string): string | undefined {
  const [, rest = ""] = source.split(new RegExp(`^ {2}${name}: `, "m"));
  const [own = ""] = rest.split(/^ {2}(?:[A-Z][A-Z_]+: |\})/m);
  return /\.default\("(.*)"\)/.exec(own)?.[1];
}

test("every link of the documents leads somewhere", async () => {
  for (const name of [
    "README.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/operations.md",
    "docs/voice.md",
  ]) {
    const text = await readFile(join(ROOT, name), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      const there = await import("node:fs").then(({ existsSync }) =>
        existsSync(join(ROOT, name, "..", target)),
      );
      expect(there, `${name} → ${target}`).toBe(true);
    }
  }
});

interface FreshServer {
  dataDir: string;
  url: string;
  /** @returns the exit code */
  stop(): Promise<number | null>;
}

/** The second of the two commands, in a folder of its own and without a terminal. */
async function startFresh(): Promise<FreshServer> {
  const dataDir = join(await temporaryFolder(), "data");
  const child = spawn("npm", ["start"], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: dataDir, PORT: "0", LOG_LEVEL: "warn" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const found = /LumenOne is ready at (\S+)/.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", () => reject(new Error(`the server ended: ${output}`)));
  });
  return {
    dataDir,
    url,
    async stop() {
      child.removeAllListeners("exit");
      child.kill("SIGTERM");
      const [code] = await once(child, "exit");
      return code;
    },
  };
}

/** One shell for all blocks, as a reader has it; address and folder are the only things that differ. */
async function runAll({ dataDir, url }: FreshServer): Promise<string[]> {
  const script = examples
    .map(({ command }) => command)
    .join(`echo; echo "${MARK}"\n`)
    .replaceAll("http://127.0.0.1:3000", url)
    .replaceAll("data/bootstrap.json", join(dataDir, "bootstrap.json"));
  const shell = spawn("bash", ["-euo", "pipefail", "-c", script], {
    cwd: ROOT,
    env: { ...process.env, DATA_DIR: dataDir, DATABASE_URL: "", npm_config_offline: "true" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, complaints] = ["", ""];
  shell.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  shell.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const [code] = await once(shell, "close");
  if (code !== 0) throw new Error(`a block failed (${code}): ${output}\n${complaints}`);
  return output.split(MARK);
}

function isCall(line: string): boolean {
  return /\b(?:curl|npx|lumen|post|search|ask)\b/.test(line) && !line.includes("() {");
}

/** What differs from run to run is written the same; the rest must agree to the letter. */
function normal(text: string): unknown {
  const same = text
    .trim()
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uuid>")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replaceAll(/req-[0-9a-z-]+/g, "<request>");
  return /^[{[]/.test(same) ? JSON.parse(same) : same;
}

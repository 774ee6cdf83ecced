import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** `npm run bench` says what there is; `npm run bench -- http` runs one, the rest of the line being its own. */
const BENCHES: Record<string, string> = {
  http: "requests a second of the three paths every request takes, beside a bare Fastify route",
  start: "how long a first and a later start take, and what an idle server holds",
  pages: "the first and the last page of a list of 100,000 workspaces",
  documents:
    "uploads, embedding, search and memory through HTTP (BENCH_ONLY=small,embed,pdf,bulk,auth,search)",
  chat: "questions with a stub model: rates, what the server adds, open streams (BENCH_ONLY=chat,overhead,streams)",
  "connect-page": "the page that connects WhatsApp: how long it takes, and what it weighs",
  voice: "50 phone calls at once: what the server adds to a turn, and how soon it falls silent",
  parsing: "reading files and cutting them into passages: rate and memory by file type",
  retrieval: "the search engine alone: 6,000, 20,000 and 1,000,000 passages",
  "call-log": "a million calls: each filter, words and far pages (BENCH_CALLS=100000)",
  "chat-adapters": "what a token of a language model costs by our own reader and by the AI SDK's",
  whatsapp:
    "webhooks of WhatsApp: acknowledgements while messages are answered, a backlog (BENCH_ONLY=acks,backlog)",
  quality: "how well questions find their passages: nDCG@10 on questions made from manual pages",
};

const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !Object.hasOwn(BENCHES, name)) {
  if (name !== undefined) console.error(`There is no benchmark "${name}".`);
  console.log("npm run bench -- <name>; on PostgreSQL with TEST_DATABASE_URL=postgres://…\n");
  for (const [known, what] of Object.entries(BENCHES)) console.log(`  ${known.padEnd(13)} ${what}`);
  process.exitCode = name === undefined ? 0 : 1;
} else {
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...rest], {
    stdio: "inherit",
  });
  const [code] = await once(child, "exit");
  process.exitCode = code ?? 1;
}

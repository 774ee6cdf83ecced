import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startMeta } from "./meta.ts";

/**
 * `node test/simulators/meta/main.ts [--port 4020] [--server http://127.0.0.1:3000]`: WhatsApp without Meta. Prints the
 * settings that the server wants, and then is a phone: every line typed is a message to the one number there is, and
 * what the server sends is printed. The number is connected as any other, on the connect page. Ends with the input.
 */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "4020" },
    server: { type: "string", default: "http://127.0.0.1:3000" },
  },
});

// The same at every start, so that the server's settings stay good.
const app = {
  appId: "100200300400500",
  appSecret: "only-for-trying-it-out",
  configId: "500400300200100",
  verifyToken: "only-for-trying-it-out",
};
const PERSON = { from: "16505551234", bsuid: "US.13491208655302741918", name: "Sheena Nelson" };

const meta = await startMeta({ port: Number(values.port), app });
const business = meta.addBusiness({ wabaId: "524126980791429", numbers: [{ id: "106540352242922" }] });
const [number] = business.numbers;
meta.signup({ business });
meta.reportStatuses({ serverUrl: values.server, statuses: ["sent", "delivered", "read"] });
for (const [name, value] of Object.entries(meta.environment())) print(`${name}=${value}`);

const stopping = new AbortController();
const printing = printAnswers();
for await (const line of createInterface({ input: process.stdin })) {
  if (number === undefined || line.trim() === "") continue;
  const payload = meta.webhook.message(number, { ...PERSON, body: line });
  const [reply] = await meta.webhook.send(values.server, payload).catch(() => []);
  if (reply?.status !== 200) print(`(the server answered ${reply?.status ?? "nothing"} to the webhook)`);
}
stopping.abort();
await printing;
await meta.close();

async function printAnswers(): Promise<void> {
  let printed = 0;
  while (!stopping.signal.aborted) {
    for (const { body } of meta.sent.slice(printed)) print(`> ${JSON.stringify(body)}`);
    printed = meta.sent.length;
    await sleep(200);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

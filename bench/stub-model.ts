import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A language model that costs next to nothing, in a process of its own: 64 tokens at once, or stamped with the time at
 * a pace (`POST /pace {tokens, delayMs, stamped}`). A question with `sent=<ms since 1970>` in it tells how long it took
 * to come here; `GET /waits` gives these times and forgets them. `GET /hang-ups`
 * gives when whose stream was closed before its end, and forgets it; `clauses` in the pace makes each token one.
 * Prints its URL as a JSON line.
 */
let pace = { tokens: 64, delayMs: 0, stamped: false, clauses: false };
let waits: number[] = [];
let hangUps: { sent: string; at: number }[] = [];

const now = () => performance.timeOrigin + performance.now();
const chunk = (delta: object, reason: string | null = null) =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "stub", choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
const end = (tokens: number) =>
  `${chunk({}, "stop")}data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "stub", choices: [], usage: { prompt_tokens: 900, completion_tokens: tokens, total_tokens: 900 + tokens } })}\n\ndata: [DONE]\n\n`;
const words = Array.from({ length: 64 }, (_, index) => `word${index} `);
const atOnce = words.map((content) => chunk({ content })).join("") + end(64);
const whole = JSON.stringify({
  id: "c",
  object: "chat.completion",
  created: 1,
  model: "stub",
  choices: [{ index: 0, message: { role: "assistant", content: words.join("") }, finish_reason: "stop" }],
  usage: { prompt_tokens: 900, completion_tokens: 64, total_tokens: 964 },
});

const server = createServer((request, response) => {
  const arrived = now();
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts).toString();
    if (request.url === "/waits") {
      response.end(JSON.stringify(waits));
      waits = [];
    } else if (request.url === "/hang-ups") {
      response.end(JSON.stringify(hangUps));
      hangUps = [];
    } else if (request.url === "/pace") {
      pace = { ...pace, ...JSON.parse(body) };
      response.end();
    } else answer(body, arrived, response);
  });
});

function answer(body: string, arrived: number, response: ServerResponse): void {
  // The last one: what was asked before stands in the prompt, too.
  const sent = [...body.matchAll(/sent=([\d.]+)/g)].at(-1)?.[1];
  if (sent !== undefined) waits.push(arrived - Number(sent));
  if (!body.includes('"stream":true')) {
    response.setHeader("content-type", "application/json");
    response.end(whole);
    return;
  }
  response.setHeader("content-type", "text/event-stream");
  if (pace.delayMs === 0 && !pace.stamped) response.end(atOnce);
  else trickle(response, sent ?? "");
}

/** Each token says when it left. */
function trickle(response: ServerResponse, sent: string): void {
  const { tokens, delayMs, clauses } = pace;
  let said = 0;
  response.on("close", () => {
    if (said < tokens) hangUps.push({ sent, at: now() });
  });
  const say = () => {
    if (response.destroyed) return;
    if (said === tokens) {
      response.end(end(tokens));
      return;
    }
    said += 1;
    response.write(chunk({ content: `@${now().toFixed(3)}${clauses ? " yes, " : " "}` }));
    setTimeout(say, delayMs);
  };
  say();
}

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
process.once("SIGTERM", () => process.exit(0));

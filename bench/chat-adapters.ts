import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { ChatModel, ChatRequest } from "../src/ports/chat-model.ts";
import { aiSdkChat } from "../src/providers/ai-sdk-chat.ts";
import { openaiCompatibleChat } from "../src/providers/openai-compatible/openai-chat.ts";
import { simulatorKey } from "../test/simulators/openai/openai-simulator.ts";

/**
 * `npm run bench -- chat-adapters`: what a token and a request cost in our process, by our own reader of the
 * OpenAI-compatible protocol and by the AI SDK's; then 200 streams at once at 20 tokens a second.
 */
const request: ChatRequest = {
  messages: [
    { role: "system", text: "Answer from these passages. ".repeat(250) },
    { role: "user", text: "How long is the warranty?" },
  ],
};
const never = new AbortController().signal;

async function main(): Promise<void> {
  const fast = await startStub();
  for (const [name, model] of modelsAt(fast.url)) {
    for (const way of ["stream", "complete"] as const) console.log(name, way, await measure(model, way));
  }
  fast.stop();
  const slow = await startStub("--token-delay-ms", "50");
  for (const [name, model] of modelsAt(slow.url)) console.log(name, "200 streams", await many(model, 200));
  slow.stop();
}

function modelsAt(baseURL: string): [string, ChatModel][] {
  const options = { baseUrl: baseURL, apiKey: simulatorKey, model: "stub-64" };
  const sdk = createOpenAICompatible({ name: "stub", baseURL, apiKey: simulatorKey, includeUsage: true });
  return [
    ["own", openaiCompatibleChat(options)],
    ["sdk", aiSdkChat("sdk", options, async () => sdk("stub-64"))],
  ];
}

async function startStub(...more: string[]) {
  const script = new URL("../test/simulators/openai/main.ts", import.meta.url).pathname;
  const args = ["--disable-warning=ExperimentalWarning", script, "--port", "0", ...more];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [url] = await once(createInterface({ input: child.stdout }), "line");
  return { url: String(url), stop: () => void child.kill() };
}

/** Eight at a time. */
async function measure(model: ChatModel, way: "stream" | "complete") {
  const ask = () => (way === "stream" ? drain(model, () => undefined) : model.complete(request, never));
  for (let index = 0; index < 300; index += 1) await ask();
  const requests = 2_000;
  let left = requests;
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (left-- > 0) await ask();
    }),
  );
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: Math.round((requests / (performance.now() - begun)) * 1_000),
    cpuMicrosecondsPerRequest: Math.round((user + system) / requests),
  };
}

async function many(model: ChatModel, streams: number) {
  const gaps: number[] = [];
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const last: number[] = [];
  await Promise.all(
    Array.from({ length: streams }, (_, index) =>
      drain(model, () => {
        const now = performance.now();
        const before = last[index];
        if (before !== undefined) gaps.push(now - before);
        last[index] = now;
      }),
    ),
  );
  const { user, system } = process.cpuUsage(cpu);
  gaps.sort((a, b) => a - b);
  const at = (part: number) => Math.round(gaps[Math.floor(gaps.length * part)] ?? 0);
  return {
    millisecondsBetweenTokens: { p50: at(0.5), p99: at(0.99) },
    cpuPercentOfOneCore: Math.round((user + system) / (performance.now() - begun) / 10),
    cpuMicrosecondsPerToken: Math.round((user + system) / (gaps.length + streams)),
    memoryMegabytes: Math.round(process.memoryUsage().rss / 1_000_000),
  };
}

async function drain(model: ChatModel, onToken: () => void): Promise<void> {
  for await (const event of model.stream(request, never)) if (event.type === "text") onToken();
}

await main();

import { parseArgs } from "node:util";
import { stubPieces } from "../chat-script.ts";
import { simulatorKey, startOpenaiSimulator } from "./openai-simulator.ts";

/**
 * `node test/simulators/openai/main.ts --port 4010 [--api-key KEY] [--delay-ms 20] [--token-delay-ms 50] [--tokens 64]`;
 * prints its URL, ends on SIGTERM. Its chat models answer 64 tokens at once, or others at the given pace.
 */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "4010" },
    "api-key": { type: "string", default: simulatorKey },
    "delay-ms": { type: "string", default: "0" },
    "token-delay-ms": { type: "string" },
    tokens: { type: "string" },
  },
});

const simulator = await startOpenaiSimulator({
  port: Number(values.port),
  apiKey: values["api-key"],
  delayMs: Number(values["delay-ms"]),
  record: false,
  ...(values["token-delay-ms"] === undefined && values.tokens === undefined ? {} : { chat: pacedAnswer() }),
});
process.stdout.write(`${simulator.url}/v1\n`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void simulator.close());

function pacedAnswer() {
  const texts = stubPieces(Number(values.tokens ?? "64"));
  const usage = { inputTokens: 10, outputTokens: texts.length };
  return { texts, usage, tokenDelayMs: Number(values["token-delay-ms"] ?? "0") };
}

import type { Embedder } from "../../src/ports/embedder.ts";
import { cohereEmbedder } from "../../src/providers/cohere/cohere-embedder.ts";
import type { EmbedderOptions } from "../../src/providers/embedder-options.ts";
import { googleEmbedder } from "../../src/providers/google/google-embedder.ts";
import { ollamaEmbedder } from "../../src/providers/ollama/ollama-embedder.ts";
import { openaiCompatibleEmbedder } from "../../src/providers/openai-compatible/openai-embedder.ts";
import { voyageEmbedder } from "../../src/providers/voyage/voyage-embedder.ts";
import { startCohereSimulator } from "../simulators/cohere/cohere-simulator.ts";
import { startGoogleSimulator } from "../simulators/google/google-simulator.ts";
import { startOllamaSimulator } from "../simulators/ollama/ollama-simulator.ts";
import { startOpenaiSimulator } from "../simulators/openai/openai-simulator.ts";
import type { Simulator } from "../simulators/simulator.ts";
import { startVoyageSimulator } from "../simulators/voyage/voyage-simulator.ts";

/** Long enough to be a secret, and different from anything an answer may hold by chance. */
export const apiKey = "key-5f2b9c77d1e04a";

export type EmbedderCase = {
  name: string;
  model: string;
  start(): Promise<Simulator>;
  create(options: EmbedderOptions): Embedder;
  /** Ollama has no keys. */
  checksKey: boolean;
  /** Where a request says what its texts are for; null where the vendor has no such thing. */
  kindOf: ((body: unknown) => unknown) | null;
};

export const embedderCases: EmbedderCase[] = [
  {
    name: "openai-compatible",
    model: "text-embedding-3-small",
    start: () => startOpenaiSimulator({ apiKey }),
    create: openaiCompatibleEmbedder,
    checksKey: true,
    kindOf: null,
  },
  {
    name: "ollama",
    model: "all-minilm",
    start: startOllamaSimulator,
    create: ollamaEmbedder,
    checksKey: false,
    kindOf: null,
  },
  {
    name: "cohere",
    model: "embed-v4.0",
    start: () => startCohereSimulator(apiKey),
    create: cohereEmbedder,
    checksKey: true,
    kindOf: (body) => at(body, "input_type"),
  },
  {
    name: "voyage",
    model: "voyage-3-large",
    start: () => startVoyageSimulator(apiKey),
    create: voyageEmbedder,
    checksKey: true,
    kindOf: (body) => at(body, "input_type"),
  },
  {
    name: "google",
    model: "gemini-embedding-001",
    start: () => startGoogleSimulator(apiKey),
    create: googleEmbedder,
    checksKey: true,
    kindOf: (body) => at(at(at(body, "requests"), "0"), "taskType"),
  },
];

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

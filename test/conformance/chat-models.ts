import type { ChatModel } from "../../src/ports/chat-model.ts";
import { anthropicChat } from "../../src/providers/anthropic/anthropic-chat.ts";
import { azureChat } from "../../src/providers/azure/azure-chat.ts";
import type { ChatModelOptions } from "../../src/providers/chat-options.ts";
import { googleChat } from "../../src/providers/google/google-chat.ts";
import { mistralChat } from "../../src/providers/mistral/mistral-chat.ts";
import { ollamaChat } from "../../src/providers/ollama/ollama-chat.ts";
import { openaiChat } from "../../src/providers/openai/openai-official-chat.ts";
import { openaiCompatibleChat } from "../../src/providers/openai-compatible/openai-chat.ts";
import { startAnthropicSimulator } from "../simulators/anthropic/anthropic-simulator.ts";
import { startAzureSimulator } from "../simulators/azure/azure-simulator.ts";
import type { ChatScript } from "../simulators/chat-script.ts";
import { startGoogleSimulator } from "../simulators/google/google-simulator.ts";
import { startMistralSimulator } from "../simulators/mistral/mistral-simulator.ts";
import { startOllamaSimulator } from "../simulators/ollama/ollama-simulator.ts";
import { startOpenaiSimulator } from "../simulators/openai/openai-simulator.ts";
import type { Simulator } from "../simulators/simulator.ts";

/** Long enough to be a secret, and different from anything an answer may hold by chance. */
export const apiKey = "key-5f2b9c77d1e04a";

export type ChatModelCase = {
  name: string;
  /** How it reaches the vendor, where there are two ways. */
  through: string;
  model: string;
  start(): Promise<Simulator & { chat: ChatScript }>;
  create(options: ChatModelOptions): ChatModel;
  /** What this vendor cannot say, as far as its API is documented. */
  lacks: readonly (
    | "keys"
    | "filtered"
    | "broken-arguments"
    | "failed-tool-flag"
    | "retry-after-header"
    | "done-mark"
  )[];
};

export const chatModelCases: ChatModelCase[] = [
  {
    name: "openai-compatible",
    through: "",
    model: "gpt-4o-mini",
    start: () => startOpenaiSimulator({ apiKey }),
    create: openaiCompatibleChat,
    lacks: [],
  },
  {
    name: "openai-compatible",
    through: " through a fetch that was handed in",
    model: "gpt-4o-mini",
    start: () => startOpenaiSimulator({ apiKey }),
    create: (options) => openaiCompatibleChat({ fetch: (url, init) => fetch(url, init), ...options }),
    lacks: [],
  },
  {
    name: "openai",
    through: "",
    model: "gpt-4.1",
    start: () => startOpenaiSimulator({ apiKey }),
    create: openaiChat,
    lacks: [],
  },
  {
    name: "azure",
    through: "",
    model: "support-gpt",
    start: () => startAzureSimulator(apiKey),
    create: azureChat,
    lacks: [],
  },
  {
    name: "anthropic",
    through: "",
    model: "claude-haiku-4-5",
    start: () => startAnthropicSimulator(apiKey),
    create: anthropicChat,
    lacks: ["broken-arguments"],
  },
  {
    name: "google",
    through: "",
    model: "gemini-2.5-flash",
    start: () => startGoogleSimulator(apiKey),
    create: googleChat,
    lacks: ["broken-arguments"],
  },
  {
    name: "mistral",
    through: "",
    model: "mistral-large-latest",
    start: () => startMistralSimulator(apiKey),
    create: mistralChat,
    lacks: ["filtered"],
  },
  {
    name: "ollama",
    through: "",
    model: "llama3.2",
    start: startOllamaSimulator,
    create: ollamaChat,
    lacks: ["keys", "filtered", "broken-arguments"],
  },
];

import type { SeenRequest } from "../test/simulators/chat-script.ts";
import { simulatorKey, startOpenaiSimulator } from "../test/simulators/openai/openai-simulator.ts";
import { REFUSAL } from "./judge.ts";

/** A simulated model: settings that point a server at it, and how it ends. */
export interface ReadingModel {
  settings: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Behind every answer, to see that a citation of nothing does not get through. */
const WRONG_CITATION = "[98]";

/** A line and what follows it, since a heading often says what the question says. */
const LINES = 3;

/**
 * Answers every request with the line of its sources that shares most words with the question and the two behind it,
 * word for word, citing their source and one that does not exist. It knows nothing, so all that is right was in the
 * prompt.
 */
export async function startReadingModel(): Promise<ReadingModel> {
  const simulator = await startOpenaiSimulator({ record: false });
  simulator.chat.always((seen) => ({ texts: inPieces(answer(seen)) }));
  return {
    settings: {
      LLM_PROVIDER: "openai-compatible",
      LLM_BASE_URL: `${simulator.url}/v1`,
      LLM_API_KEY: simulatorKey,
      LLM_MODEL: "stub-64",
    },
    close: () => simulator.close(),
  };
}

function answer({ messages }: SeenRequest): string {
  const prompt = messages.findLast(({ role }) => role === "user")?.text ?? "";
  const question = /<<\S+ message>>\n([\s\S]*?)\n<<\S+ end>>/.exec(prompt)?.[1] ?? prompt;
  const wanted = new Set(stems(question));
  const places = [...prompt.matchAll(/<<\S+ source \[(\d+)\][^\n]*>>\n([\s\S]*?)\n<<\S+ end>>/g)].flatMap(
    ([, number = "", text = ""]) => {
      const lines = text.split(/\n+|(?<=[.!?]) (?=\p{Lu})/u);
      return lines.map((line, index) => {
        const shared = new Set(stems(line).filter((stem) => wanted.has(stem))).size;
        const quoted = lines.slice(index, index + LINES).filter((one) => !one.startsWith("#"));
        return { number, quoted, score: shared / Math.sqrt(8 + stems(line).length) };
      });
    },
  );
  const [best] = places.toSorted((one, other) => other.score - one.score);
  if (best === undefined || best.score === 0) return REFUSAL;
  return `${best.quoted.map((line) => `${line} [${best.number}]`).join("\n")} ${WRONG_CITATION}`;
}

/** The beginnings of the words that are not small. */
function stems(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? []).map((word) => word.slice(0, 5));
}

/** As a model streams: some letters at a time, so that citations are cut in two. */
function inPieces(text: string): string[] {
  return text.match(/[\s\S]{1,5}/g) ?? [];
}

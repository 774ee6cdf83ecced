import { countTokens } from "../models/tokens.ts";
import type { ChatImage, ChatMessage, ChatTool } from "../ports/chat-model.ts";
import { type Counter, costOf, fitPrompt, shares } from "./budget.ts";
import type { PastTurn } from "./history.ts";
import { DEFAULT_PROMPT, fillPrompt, RULES, TOOL_RULES } from "./rules.ts";
import { type Evidence, headingOf } from "./sources.ts";

/** What vendors charge for a picture of the usual size. */
const IMAGE_TOKENS = 1_600;
/** The marks and the place around a source, in tokens. */
const SOURCE_FRAME_TOKENS = 60;

/** All that a prompt is made of. */
export interface PromptParts {
  /** The workspace's, or `null` for the built-in one. */
  prompt: string | null;
  now: Date;
  /** Instructions of the application that asks; may be empty. */
  instructions: string;
  question: string;
  images: readonly ChatImage[];
  evidence: readonly Evidence[];
  turns: readonly PastTurn[];
  /** Said since the question: calls and results of the client's tools. */
  after: readonly ChatMessage[];
  tools: readonly ChatTool[];
  /** A random word that marks where data begins and ends. */
  mark: string;
  contextTokens: number;
  maxOutputTokens: number;
}

export interface Prompt {
  messages: ChatMessage[];
  /** Those that went in, in the order of their numbers. */
  evidence: Evidence[];
  maxOutputTokens: number;
  /** Tokens left for results of tools. */
  spareTokens: number;
  /** What a model's window must have besides the answer. */
  promptTokens: number;
}

/** @throws Problem `invalid_request` when instructions and question alone are longer than the model takes */
export function buildPrompt(parts: PromptParts): Prompt {
  const system = systemText(parts);
  const fixed = [
    system,
    questionText(parts, NO_SOURCES),
    ...parts.tools.map((tool) => JSON.stringify(tool)),
    ...parts.after.map(textOfMessage),
  ];
  const count = counterFor(parts, fixed);
  const fit = fitPrompt({
    contextTokens: parts.contextTokens,
    maxOutputTokens: parts.maxOutputTokens,
    fixedTokens: fixed.reduce((sum, text) => sum + costOf(text, count), parts.images.length * IMAGE_TOKENS),
    sources: parts.evidence,
    costOfSource: (source) => costOfSource(source, count),
    history: parts.turns,
    costOfTurn: (turn) => turn.reduce((sum, message) => sum + costOf(textOfMessage(message), count), 0),
  });
  const sources = fit.sources.map((source, index) => sourceText(source, index + 1, parts.mark));
  const messages: ChatMessage[] = [
    { role: "system", text: system },
    ...fit.history.flat(),
    {
      role: "user",
      text: questionText(parts, sources.length === 0 ? NO_SOURCES : sources.join("\n")),
      ...(parts.images.length === 0 ? {} : { images: parts.images }),
    },
    ...parts.after,
  ];
  return {
    messages,
    evidence: fit.sources,
    maxOutputTokens: fit.maxOutputTokens,
    spareTokens: fit.spareTokens,
    promptTokens: parts.contextTokens - fit.spareTokens - fit.maxOutputTokens,
  };
}

const NO_SOURCES = "There are no sources for this message: cite nothing.";

/** What is never to be shown: the workspace's prompt and our rules. */
export function instructionsOf(parts: Pick<PromptParts, "prompt" | "now" | "instructions">): string {
  const own = fillPrompt(parts.prompt ?? DEFAULT_PROMPT, parts.now);
  return parts.instructions === "" ? own : `${own}\n\n${parts.instructions}`;
}

function systemText(parts: PromptParts): string {
  const rules = parts.tools.length === 0 ? RULES : `${RULES}\n${TOOL_RULES}`;
  return `${instructionsOf(parts)}\n\n${rules}`;
}

/** Passages and the person's words are data between marks that nobody can guess. */
function questionText({ mark, question }: PromptParts, sources: string): string {
  return `${sources}\n<<${mark} message>>\n${question}\n<<${mark} end>>`;
}

/** One numbered source as the model reads it. */
export function sourceText({ text, metadata }: Evidence, number: number, mark: string): string {
  const heading = headingOf(metadata.headings);
  const place = [
    metadata.title,
    heading === metadata.title ? null : heading,
    metadata.page === null ? null : `page ${metadata.page}`,
  ];
  return `<<${mark} source [${number}] ${place
    .filter(Boolean)
    .join(", ")
    .replaceAll(/[\n<>]/g, " ")}>>\n${text}\n<<${mark} end>>`;
}

function textOfMessage(message: ChatMessage): string {
  if (message.role !== "assistant" || message.toolCalls === undefined) return message.text;
  return message.text + JSON.stringify(message.toolCalls);
}

const counted = new WeakMap<Evidence, number>();

/** Passages of a small workspace are the same objects in every turn: they are counted once. */
function costOfSource(source: Evidence, count: Counter): number {
  if (count === countBytes) return count(source.text) + frameCost(source, count);
  const known = counted.get(source) ?? count(source.text);
  counted.set(source, known);
  return known + frameCost(source, count);
}

function frameCost({ metadata }: Evidence, count: Counter): number {
  return SOURCE_FRAME_TOKENS + count(metadata.title) + count(headingOf(metadata.headings) ?? "");
}

/** No token is less than a byte. */
const countBytes: Counter = (text) => Buffer.byteLength(text);

/**
 * Counting exactly costs milliseconds. Where there would be room even if every byte were a token, which is so for most
 * questions and models, bytes are what is counted.
 */
function counterFor(parts: PromptParts, fixed: readonly string[]): Counter {
  const { window, answer } = shares(parts);
  let bytes = parts.images.length * IMAGE_TOKENS;
  for (const text of fixed) bytes += costOf(text, countBytes);
  for (const source of parts.evidence) bytes += costOfSource(source, countBytes);
  for (const turn of parts.turns)
    for (const message of turn) bytes += costOf(textOfMessage(message), countBytes);
  return bytes <= window - answer ? countBytes : countTokens;
}

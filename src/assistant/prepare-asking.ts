import type { App } from "../context.ts";
import type { ChatModel, ChatRequest, ChatTool } from "../ports/chat-model.ts";
import { handOff, type Turn } from "./begin-turn.ts";
import { handoffTool, searchTool } from "./built-in-tools.ts";
import type { Grounding } from "./grounding.ts";
import { questionsOf } from "./history.ts";
import { type Secret, secretOf } from "./leak-guard.ts";
import { buildPrompt, instructionsOf, type Prompt } from "./prompt.ts";
import { RULES, TOOL_RULES } from "./rules.ts";
import type { Evidence } from "./sources.ts";
import type { ChatMode } from "./turn.ts";
import type { TurnTool } from "./turn-tools.ts";

/** Without this much room for their results, tools are not offered. */
const TOOL_ROOM_TOKENS = 600;
const RULE_WORDS = 10;
/** A workspace's prompt holds facts that an answer may repeat in its words. */
const PROMPT_WORDS = 24;

export interface Asking {
  mode: ChatMode;
  /** The first choice first; never empty. */
  models: readonly ChatModel[];
  attached: readonly TurnTool[];
  grounding: Grounding;
}

/** All that a model is asked with. */
export interface Prepared {
  prompt: Prompt;
  /** Offered so far, by number; a search in the turn adds to it. */
  evidence: Evidence[];
  tools: TurnTool[];
  clientTools: readonly ChatTool[];
  /** Those whose window the prompt fits. */
  models: readonly ChatModel[];
  mark: string;
}

/** @throws Problem `invalid_request` when instructions and question are longer than the model takes */
export function prepareAsking(app: App, turn: Turn, asking: Asking): Prepared {
  const { models, grounding } = asking;
  const [first] = models;
  if (first === undefined) throw new Error("a model is needed");
  const mark = app.newId().replaceAll("-", "").slice(-16);
  const evidence: Evidence[] = [];
  const clientTools = turn.question.client?.tools ?? [];
  const tools = toolsOf(app, turn, asking, evidence, mark);
  const build = (offered: readonly TurnTool[]) =>
    buildPrompt({
      prompt: turn.workspace.open_ai_prompt,
      now: turn.askedAt,
      instructions: instructionsBeside(turn),
      question: turn.question.text,
      images: turn.question.images,
      evidence: grounding.evidence,
      turns: historyOf(turn),
      after: turn.question.client?.after ?? [],
      tools: [...offered.map(({ definition }) => definition), ...clientTools],
      mark,
      contextTokens: first.contextTokens,
      maxOutputTokens: Math.min(
        first.maxOutputTokens,
        turn.question.client?.settings.maxOutputTokens ?? Infinity,
      ),
    });
  let prompt = tools.length === 0 ? build([]) : buildOrNull(() => build(tools));
  const hasRoom = prompt !== null && prompt.spareTokens >= TOOL_ROOM_TOKENS;
  if (prompt === null || (tools.length > 0 && !hasRoom)) prompt = build([]);
  evidence.push(...prompt.evidence);
  const needed = prompt.promptTokens;
  return {
    prompt,
    evidence,
    tools: hasRoom ? tools : [],
    clientTools,
    models: models.filter(
      (model) => model === first || model.contextTokens - model.maxOutputTokens >= needed,
    ),
    mark,
  };
}

function buildOrNull(build: () => Prompt): Prompt | null {
  try {
    return build();
  } catch {
    // The tools alone were too much; without them it says what is.
    return null;
  }
}

/** In `automatic` alone: `query` answers from documents, and `chat` is for models that know no tools. */
function toolsOf(
  app: App,
  turn: Turn,
  { mode, attached, grounding }: Asking,
  evidence: Evidence[],
  mark: string,
): TurnTool[] {
  if (mode !== "automatic") return [];
  const builtIn = [
    ...(grounding.kind === "search" ? [searchTool(app, turn.workspace, evidence, mark)] : []),
    handoffTool(app, (reason) => handOff(app, turn, reason)),
  ];
  const taken = new Set([
    ...(turn.question.client?.tools ?? []).map(({ name }) => name),
    ...attached.map(({ definition }) => definition.name),
  ]);
  const clientNames = new Set((turn.question.client?.tools ?? []).map(({ name }) => name));
  return [
    ...attached.filter(({ definition }) => !clientNames.has(definition.name)),
    ...builtIn.filter(({ definition }) => !taken.has(definition.name)),
  ];
}

/** What is asked of the model beside the workspace's prompt: by the client, or by the channel. */
function instructionsBeside({ question }: Turn): string {
  const beside = [question.client?.instructions ?? "", question.instructions ?? ""];
  return beside.filter((text) => text !== "").join("\n\n");
}

function historyOf({ turns, question }: Turn) {
  return question.client === null ? turns : question.client.before.map((message) => [message]);
}

/** What no answer may repeat. */
export function secretsOf(turn: Turn): Secret[] {
  const instructions = instructionsOf({
    prompt: turn.workspace.open_ai_prompt,
    now: turn.askedAt,
    instructions: instructionsBeside(turn),
  });
  return [secretOf(`${RULES}\n${TOOL_RULES}`, RULE_WORDS), secretOf(instructions, PROMPT_WORDS)];
}

/** What the person wrote, now and before. */
export function saidBy({ question, turns }: Turn): string[] {
  const before = question.client?.before ?? [];
  return [
    question.text,
    ...questionsOf(turns),
    ...before.filter(({ role }) => role === "user").map(({ text }) => text),
  ];
}

/** The client's own where it has any, else the workspace's. */
export function settingsOf({ question, workspace }: Turn): Omit<ChatRequest, "messages" | "tools"> {
  const { maxOutputTokens: _, ...settings } = question.client?.settings ?? {};
  const temperature = settings.temperature ?? workspace.open_ai_temp ?? undefined;
  return { ...settings, ...(temperature === undefined ? {} : { temperature }) };
}

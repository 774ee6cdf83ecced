import type { ChatTool, ChatToolCall } from "../ports/chat-model.ts";
import type { CallRecord } from "./claims.ts";
import { findPlantedDestination } from "./tool-policy.ts";

/** How many calls one answer may make. */
export const CALLS_MAX = 8;

/** A tool of this turn: what the model is told of it, and what runs when it is called. */
export interface TurnTool {
  definition: ChatTool;
  /** It may change something outside: nothing may be claimed of it that it did not do. */
  acts: boolean;
  /** It writes its own row into the ledger. */
  isRecorded: boolean;
  /** Never throws for a failure of the tool's own. */
  run(args: unknown, signal: AbortSignal): Promise<ToolResult>;
}

/** `content` is for the model: what the tool answered, or a sentence about its failure. */
export interface ToolResult {
  status: "ok" | "failed";
  content: string;
  ms: number;
  /** A word for the ledger, where it failed. */
  code?: string;
}

/** What decides about a call besides its tool. */
export interface CallSurroundings {
  tools: readonly TurnTool[];
  /** Passages that the model has read in this turn. */
  documents(): readonly string[];
  /** What the person wrote, now and before. */
  said: readonly string[];
  /** All calls of the turn so far; added to. */
  ledger: CallRecord[];
  /** Called before the first call of a round. */
  beforeCalls(): Promise<void>;
  /** Writes a call down that no tool has written down itself: refused ones, and those of built-in tools. */
  record(call: ChatToolCall, result: ToolResult): Promise<void>;
}

/** What became of one call, for the model and for whoever follows the stream. */
export interface FinishedCall extends ToolResult {
  call: ChatToolCall;
}

/**
 * Runs the calls that a model wished for at once, all at the same time. What the policy forbids is not run and is told
 * to the model: an unknown tool, more calls than an answer may make, and an action towards an address that only a
 * document named.
 */
export async function runCalls(
  calls: readonly ChatToolCall[],
  surroundings: CallSurroundings,
  signal: AbortSignal,
): Promise<FinishedCall[]> {
  await surroundings.beforeCalls();
  const before = surroundings.ledger.length;
  const finished = await Promise.all(
    calls.map(async (call, index) => ({
      call,
      ...(await runCall(call, before + index >= CALLS_MAX, surroundings, signal)),
    })),
  );
  for (const { call, status } of finished) {
    const tool = surroundings.tools.find(({ definition }) => definition.name === call.name);
    surroundings.ledger.push({ tool: call.name, acts: tool?.acts ?? false, status });
  }
  signal.throwIfAborted();
  return finished;
}

async function runCall(
  call: ChatToolCall,
  isTooMany: boolean,
  surroundings: CallSurroundings,
  signal: AbortSignal,
): Promise<ToolResult> {
  const tool = surroundings.tools.find(({ definition }) => definition.name === call.name);
  const refusal = refusalOf(call, tool, isTooMany, surroundings);
  if (tool !== undefined && refusal === null) {
    const result = await tool.run(call.arguments, signal);
    if (!tool.isRecorded) await surroundings.record(call, result);
    return result;
  }
  const result = refusal ?? refused("tool_unavailable", "It was not run: there is no such tool.");
  await surroundings.record(call, result);
  return result;
}

/** `null`: the policy allows it. */
function refusalOf(
  call: ChatToolCall,
  tool: TurnTool | undefined,
  isTooMany: boolean,
  { documents, said }: CallSurroundings,
): ToolResult | null {
  if (isTooMany)
    return refused("too_many_calls", `It was not run: an answer may make ${CALLS_MAX} calls at most.`);
  if (tool === undefined) return null;
  if (tool.acts && findPlantedDestination(call.arguments, documents(), said) !== null) {
    return refused(
      "planted_address",
      "It was not run: it would reach an address that stands in a document and that the person did not write. " +
        "Ask the person to write the address, if they want this.",
    );
  }
  return null;
}

function refused(code: string, content: string): ToolResult {
  return { status: "failed", content, ms: 0, code };
}

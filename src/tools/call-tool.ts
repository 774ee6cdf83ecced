import type { App } from "../context.ts";
import type { Caller } from "../http/caller.ts";
import { type CallIo, callHttpTool } from "./call-http.ts";
import { callMcpTool, MCP_TIMEOUT_MS } from "./call-mcp.ts";
import { type CallableTool, connectionKey, findAttachedTool } from "./callable.ts";
import { checkArguments } from "./check-arguments.ts";
import type { ToolDefinition } from "./definition.ts";
import { describeTimeout } from "./describe-failure.ts";
import { redactor } from "./redact.ts";
import { recordToolCall } from "./tool-calls.ts";
import { type CallResult, failed, type ToolOutcome } from "./tool-outcome.ts";
import { readDefinition } from "./tools.service.ts";

/** For whom, and in which turn, a tool is called. */
export type CallContext = {
  partnerId: string;
  accountId: string;
  organizationId: number;
  workspaceId: number;
  conversationId: string | null;
  turnId: string;
  actor: Caller["actor"];
  requestId: string;
};

/**
 * Calls a tool and writes the call down, however it ends. It never throws for the tool's own failure: that is an outcome
 * with a sentence for the model. Not to be called in a transaction.
 */
export async function callTool(
  app: App,
  context: CallContext,
  tool: CallableTool,
  args: unknown,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const begunMs = performance.now();
  const { content, bytes, httpStatus, ...result } = await attempt(app, context, tool, args, signal);
  const ms = Math.round(performance.now() - begunMs);
  const code = result.status === "ok" ? null : result.code;
  await recordToolCall(app, context, {
    toolId: tool.toolId,
    toolName: tool.chat.name,
    arguments: args,
    code,
    httpStatus,
    ms,
    bytes,
  });
  const { requestId, accountId, organizationId, workspaceId } = context;
  const facts = { requestId, accountId, organizationId, workspaceId, tool: tool.toolId };
  app.log.info({ ...facts, code, httpStatus, ms, bytes }, "a tool was called");
  return { ...result, content, ms, bytes };
}

async function attempt(
  app: App,
  context: CallContext,
  tool: CallableTool,
  args: unknown,
  signal: AbortSignal,
): Promise<CallResult> {
  try {
    return await prepare(app, context, tool, args, signal);
  } catch (error) {
    if (signal.aborted)
      return failed("cancelled", "The call was cancelled. It is not known whether it took effect.");
    const { requestId, workspaceId } = context;
    app.log.error({ requestId, workspaceId, tool: tool.toolId, error }, "a tool could not be called");
    return failed("internal", "The tool could not be called, by a fault of this service.");
  }
}

async function prepare(
  app: App,
  context: CallContext,
  tool: CallableTool,
  args: unknown,
  signal: AbortSignal,
): Promise<CallResult> {
  const row = await findAttachedTool(app, context, tool.toolId);
  if (row === undefined) {
    return failed("tool_unavailable", "This tool is no longer available to the assistant. Nothing was sent.");
  }
  const definition = readDefinition(app, row);
  const isMcp = definition.mcp !== undefined;
  const allowed = definition.mcp?.allowed_tools ?? null;
  if (
    isMcp !== (tool.mcpTool !== null) ||
    (tool.mcpTool !== null && allowed?.includes(tool.mcpTool) === false)
  ) {
    return failed("tool_unavailable", "This tool is no longer available to the assistant. Nothing was sent.");
  }
  const parameters = isMcp ? tool.chat.parameters : definition.parameters;
  const checked = checkArguments(parameters, args ?? {}, { foreign: isMcp });
  if (!checked.fits) return failed(checked.code, `${checked.message} Nothing was sent.`);
  return await call(app, context, {
    definition,
    tool,
    key: connectionKey(row),
    args: checked.arguments,
    signal,
  });
}

type Ready = {
  definition: ToolDefinition;
  tool: CallableTool;
  key: string;
  args: Readonly<Record<string, unknown>>;
  signal: AbortSignal;
};

/** With one clock for all of it: the wait for a place, a token, every try and the last byte. */
async function call(app: App, context: CallContext, ready: Ready): Promise<CallResult> {
  const { definition, tool, key, args } = ready;
  const { http, mcp } = definition;
  const timeoutMs = http?.timeout_ms ?? MCP_TIMEOUT_MS;
  const deadlineMs = performance.now() + timeoutMs;
  const clock = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([ready.signal, clock]);
  const isTimeUp = () => clock.aborted && !ready.signal.aborted;
  const secrets: string[] = [];
  const withoutSecrets = redactor(definition);
  const io: CallIo = {
    fetchPublic: app.fetchPublic,
    now: app.now,
    key,
    signal,
    remainingMs: () => deadlineMs - performance.now(),
    isTimeUp,
    onSecret: (secret) => secrets.push(secret),
    redact: (text) => withoutSecrets(text, secrets),
  };
  const release = await app.tools.slots.acquire(
    context.organizationId,
    hostOf(http?.url ?? mcp?.url),
    signal,
  );
  if (release === undefined) {
    ready.signal.throwIfAborted();
    return failed(
      "busy",
      "Too many calls to this tool are under way. Nothing was sent; it may be tried again.",
    );
  }
  try {
    let result: CallResult;
    if (http !== undefined) {
      result = await callHttpTool(http, definition.parameters, args, { ...io, tokens: app.tools.tokens });
    } else if (mcp !== undefined && tool.mcpTool !== null) {
      result = await callMcpTool(mcp, tool.mcpTool, { ...args }, { ...io, clients: app.tools.clients });
    } else throw new Error("a tool is neither an HTTP nor an MCP tool");
    return { ...result, content: io.redact(result.content) };
  } catch (error) {
    if (clock.aborted && !ready.signal.aborted)
      return describeTimeout(timeoutMs, { method: http?.method ?? "call" });
    throw error;
  } finally {
    release();
  }
}

function hostOf(url = ""): string {
  return /^[a-z]+:\/\/([^/?#]*)/i.exec(url)?.[1]?.toLowerCase() ?? "";
}

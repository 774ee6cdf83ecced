import { StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  type CallToolResult,
  CallToolResultSchema,
  type ContentBlock,
  McpError,
} from "@modelcontextprotocol/sdk/types.js";
import { ProviderError } from "../ports/provider-error.ts";
import type { CallIo } from "./call-http.ts";
import { describeProviderError } from "./describe-failure.ts";
import type { McpClients } from "./mcp-clients.ts";
import type { McpExchange } from "./mcp-fetch.ts";
import { type CallResult, failed } from "./tool-outcome.ts";
import type { McpTool } from "./tools.schemas.ts";

/** For the whole of a call; a definition has no setting for it. */
export const MCP_TIMEOUT_MS = 30_000;
const CONTENT_MAX_BYTES = 100_000;
const EXCERPT_LENGTH = 2_000;
/** A tool may do anything, so nothing is known when the answer is missing. */
const CALL = { method: "tools/call" };

/** Calls one of an MCP server's tools. Throws when `io.signal` ends it; then the server is told, too. */
export async function callMcpTool(
  mcp: McpTool,
  name: string,
  args: Record<string, unknown>,
  io: CallIo & { clients: McpClients },
): Promise<CallResult> {
  const exchange: McpExchange = { signal: io.signal, bytes: 0, httpStatus: null, onBroken: () => undefined };
  try {
    const result = await io.clients.use(
      { key: io.key, mcp, fetchPublic: io.fetchPublic },
      exchange,
      (client) =>
        client.request({ method: "tools/call", params: { name, arguments: args } }, CallToolResultSchema, {
          signal: io.signal,
          timeout: MCP_TIMEOUT_MS * 2,
        }),
    );
    return { ...readResult(result, io.redact), httpStatus: exchange.httpStatus, bytes: exchange.bytes };
  } catch (error) {
    io.signal.throwIfAborted();
    const { bytes, httpStatus } = exchange;
    return { ...describeMcpError(error, io.redact), bytes, httpStatus };
  }
}

/** Why a server could not be asked, for the model and for the log; never what the server put into an error page. */
export function describeMcpError(
  error: unknown,
  redact: (text: string) => string,
): CallResult & { status: "failed" } {
  if (error instanceof ProviderError) return asFailed(describeProviderError(error, CALL, null));
  if (error instanceof StreamableHTTPError) {
    const said = error.code === undefined || error.code < 0 ? "something else than MCP" : `${error.code}`;
    return failed("http_error", `The tool's server answered ${said}.`);
  }
  if (error instanceof McpError) {
    return failed(
      "tool_error",
      `The tool's server refused the call: ${redact(error.message).slice(0, EXCERPT_LENGTH)}`,
    );
  }
  return failed("bad_response", "The tool's server answered something that is not MCP.");
}

function asFailed(result: CallResult): CallResult & { status: "failed" } {
  return result.status === "failed" ? result : failed("internal", result.content);
}

function readResult(result: CallToolResult, redact: (text: string) => string): CallResult {
  const text = result.content.map(textOf).join("\n\n").replaceAll("\u0000", "").trim();
  const structured = result.structuredContent === undefined ? "" : JSON.stringify(result.structuredContent);
  const content = text === "" ? structured : text;
  if (result.isError === true) {
    const said = content === "" ? "it does not say which" : redact(content).slice(0, EXCERPT_LENGTH);
    return failed("tool_error", `The tool reported an error: ${said}`);
  }
  if (Buffer.byteLength(content) > CONTENT_MAX_BYTES) {
    const sentence = `The call was carried out, but its answer is larger than the ${CONTENT_MAX_BYTES} bytes allowed.`;
    return failed("response_too_large", sentence);
  }
  const shown = content === "" ? "The call was carried out. The answer is empty." : content;
  return { status: "ok", content: shown, httpStatus: null, bytes: 0 };
}

/** Text only; of anything else the model learns that it was there. */
function textOf(block: ContentBlock): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "resource":
      return "text" in block.resource ? block.resource.text : "[a file, left out]";
    case "resource_link":
      return `[a link to ${block.name}: ${block.uri}]`;
    case "image":
      return "[a picture, left out]";
    case "audio":
      return "[a sound, left out]";
  }
}

/** Why a call did not bring what it was for, in a word a program can switch on. */
export type ToolFailureCode =
  /** Not attached to the workspace, switched off, or deleted since. */
  | "tool_unavailable"
  | "invalid_arguments"
  /** The definition cannot be used, such as a schema that does not compile. */
  | "misconfigured"
  /** Too many calls of the organization, or to that host, are under way. */
  | "busy"
  /** Not the public internet, or a redirect to where a call may not go. */
  | "address_refused"
  /** The OAuth token server gave no token. */
  | "sign_in_failed"
  | "unreachable"
  | "timeout"
  | "cancelled"
  /** An HTTP status that is no success. */
  | "http_error"
  | "response_too_large"
  /** Neither JSON nor text. */
  | "unsupported_content"
  | "bad_response"
  /** The MCP server says that the tool failed. */
  | "tool_error"
  /** A fault of ours. */
  | "internal";

/** What a call came to. `content` is for the model: the answer, or a sentence about the failure; never with a secret. */
export type ToolOutcome =
  | { status: "ok"; content: string; ms: number; bytes: number }
  | { status: "failed"; code: ToolFailureCode; content: string; ms: number; bytes: number };

/** The same as the ways of calling bring it, before it is timed. `bytes`: of the answer, decompressed. */
export type CallResult = ({ status: "ok" } | { status: "failed"; code: ToolFailureCode }) & {
  content: string;
  httpStatus: number | null;
  bytes: number;
};

export function failed(
  code: ToolFailureCode,
  content: string,
  { httpStatus = null, bytes = 0 }: { httpStatus?: number | null; bytes?: number } = {},
): CallResult & { status: "failed" } {
  return { status: "failed", code, content, httpStatus, bytes };
}

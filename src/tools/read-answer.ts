import { STATUS_CODES } from "node:http";
import { JSONPathEnvironment, JSONPathError, type JSONValue } from "json-p3";
import { runBounded } from "./run-bounded.ts";
import { type CallResult, failed } from "./tool-outcome.ts";
import type { HttpTool } from "./tools.schemas.ts";

/** A server's whole answer. */
export type HttpAnswer = { status: number; contentType: string | null; data: Buffer };

const EXCERPT_LENGTH = 2_000;
const SELECT_MAX_MS = 200;
const jsonPath = new JSONPathEnvironment();

/** What the model is told of an answer: the part that is asked for, or a sentence that says what is wrong with it. */
export function readAnswer(
  http: Pick<HttpTool, "response_select">,
  answer: HttpAnswer,
  redact: (text: string) => string,
): CallResult {
  const { status, data } = answer;
  const facts = { httpStatus: status, bytes: data.byteLength };
  if (status < 200 || status > 299) return failed("http_error", describeRefusal(answer, redact), facts);
  const ok = (content: string): CallResult => ({ status: "ok", content, ...facts });
  const done = `The request was carried out (status ${status})`;
  if (data.byteLength === 0) return ok(`${done}. The answer is empty.`);
  const kind = kindOf(answer);
  if (kind === "other") {
    const type = mediaTypeOf(answer.contentType) ?? "unknown";
    return failed(
      "unsupported_content",
      `${done}, but its answer is neither JSON nor text (${type}).`,
      facts,
    );
  }
  const text = textOf(answer);
  if (kind === "text" && http.response_select === null) return ok(text);
  const parsed = parseJson(text);
  if (parsed === undefined)
    return failed("bad_response", `${done}, but its answer is not valid JSON.`, facts);
  if (http.response_select === null) return ok(text);
  const selected = select(parsed.value, http.response_select);
  if (selected === "too hard") {
    return failed(
      "bad_response",
      `${done}, but its answer takes too long to select from or is nested too deeply.`,
      facts,
    );
  }
  return ok(selected?.text ?? `${done}. The answer holds nothing at ${http.response_select}.`);
}

function describeRefusal(answer: HttpAnswer, redact: (text: string) => string): string {
  const phrase = STATUS_CODES[answer.status];
  const said = `The service answered ${answer.status}${phrase === undefined ? "" : ` ${phrase}`}`;
  const isText = answer.data.byteLength > 0 && kindOf(answer) !== "other";
  const text = isText ? redact(textOf(answer).trim()) : "";
  if (text === "") return `${said}.`;
  return `${said}: ${text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)}…` : text}`;
}

/** One value as it is, several as a list; `undefined` for none. */
function select(value: JSONValue, path: string): { text: string } | "too hard" | undefined {
  try {
    const found = runBounded(() => jsonPath.query(path, value).values(), SELECT_MAX_MS);
    if (found === undefined) return "too hard";
    const [first, ...others] = found.value;
    if (first === undefined) return undefined;
    const shown = others.length === 0 ? first : found.value;
    return { text: typeof shown === "string" ? shown : JSON.stringify(shown) };
  } catch (error) {
    if (error instanceof RangeError || error instanceof JSONPathError) return "too hard";
    throw error;
  }
}

function kindOf({ contentType, data }: HttpAnswer): "json" | "text" | "other" {
  const type = mediaTypeOf(contentType);
  if (type === undefined) return data.includes(0) ? "other" : "text";
  if (type === "application/json" || type.endsWith("+json")) return "json";
  const isText = type.startsWith("text/") || type.endsWith("+xml") || TEXTS.has(type);
  return isText ? "text" : "other";
}

const TEXTS = new Set(["application/xml", "application/yaml", "application/x-ndjson", "application/jsonl"]);

function mediaTypeOf(contentType: string | null): string | undefined {
  const type = contentType?.split(";")[0]?.trim().toLowerCase();
  return type === "" ? undefined : type;
}

/** In the charset that the server names; NUL is left out, which PostgreSQL does not take. */
function textOf({ contentType, data }: HttpAnswer): string {
  const charset = /charset\s*=\s*"?([\w.:-]+)/i.exec(contentType ?? "")?.[1] ?? "utf-8";
  return decoderFor(charset).decode(data).replaceAll("\u0000", "");
}

function decoderFor(charset: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}

function parseJson(text: string): { value: JSONValue } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

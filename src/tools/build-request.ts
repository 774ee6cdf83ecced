import type { HttpTool } from "./tools.schemas.ts";

/** What goes out, but for the headers; or why it cannot, for the model. */
export type BuiltRequest = { url: string; body: string | undefined } | { problem: string };

type Arguments = Readonly<Record<string, unknown>>;

const URL_MAX_LENGTH = 8_000;
const PLACEHOLDER = /\{([^{}]*)\}/g;
const WHOLE_PLACEHOLDER = /^\{([^{}]*)\}$/;
const BODY_METHODS = ["POST", "PUT", "PATCH"];

/** Puts checked arguments into a definition. `parameters` says which `{names}` in the body are placeholders. */
export function buildRequest(
  http: Pick<HttpTool, "method" | "url" | "body">,
  parameters: Arguments,
  args: Arguments,
): BuiltRequest {
  const url = fillUrl(http.url, args);
  if (typeof url !== "string") return url;
  return { url, body: fillBody(http, parameters, args) };
}

function fillUrl(template: string, args: Arguments): string | { problem: string } {
  const origin = /^[a-z]+:\/\/[^/?#]*/i.exec(template)?.[0] ?? "";
  const [path = "", ...queries] = template.slice(origin.length).split("?");
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    const filled = fillSegment(segment, args);
    if (typeof filled !== "string") return filled;
    segments.push(filled);
  }
  const query = queries.length === 0 ? "" : fillQuery(queries.join("?"), args);
  const url = `${origin}${segments.join("/")}${query === "" ? "" : `?${query}`}`;
  if (url.length > URL_MAX_LENGTH)
    return { problem: "The arguments make an address that is too long. Shorten them." };
  // What is filled in is encoded and stands behind the host, so it cannot have changed it; this is the proof.
  if (!URL.canParse(url) || new URL(url).origin !== new URL(origin).origin)
    return { problem: "The arguments make an address that cannot be called." };
  return url;
}

/** A value is one segment and stays it, also for a server that decodes twice. */
function fillSegment(segment: string, args: Arguments): string | { problem: string } {
  let problem: string | undefined;
  const filled = segment.replaceAll(PLACEHOLDER, (_, name: string) => {
    const text = scalarText(argumentOf(args, name));
    if (text === undefined || text === "")
      problem ??= `/${name} must be a text or a number that is not empty`;
    else if (/[/\\]|%(2e|2f|5c|25)|\p{Cc}/iu.test(text)) {
      problem ??= `/${name} must not hold "/", "\\", their encoded forms or control characters`;
    }
    return encode(text ?? "");
  });
  if (filled !== segment && /^(\.|%2e){1,2}$/i.test(filled)) problem ??= 'no value may be "." or ".."';
  return problem === undefined
    ? filled
    : { problem: `The arguments do not fit into the address: ${problem}.` };
}

/** A pair whose value is a placeholder is left out without a value, and repeated for each of several. */
function fillQuery(query: string, args: Arguments): string {
  return query
    .split("&")
    .flatMap((pair) => {
      const [key = "", ...rest] = pair.split("=");
      const name = WHOLE_PLACEHOLDER.exec(rest.join("="))?.[1];
      if (name === undefined) return [fillText(pair, args, encode)];
      const value = argumentOf(args, name);
      if (value === undefined || value === null) return [];
      const values = Array.isArray(value) ? value : [value];
      return values.map((item) => `${fillText(key, args, encode)}=${encode(textOf(item))}`);
    })
    .join("&");
}

function fillBody(
  { method, url, body }: Pick<HttpTool, "method" | "url" | "body">,
  parameters: Arguments,
  args: Arguments,
): string | undefined {
  if (body !== undefined) return JSON.stringify(fillValue(body, parameters, args) ?? null);
  if (!BODY_METHODS.includes(method)) return undefined;
  const used = new Set([...url.matchAll(PLACEHOLDER)].map(([, name]) => name));
  return JSON.stringify(Object.fromEntries(Object.entries(args).filter(([name]) => !used.has(name))));
}

/** `undefined`: the value is a placeholder of an argument that was not given, and is left out. */
function fillValue(template: unknown, parameters: Arguments, args: Arguments): unknown {
  if (typeof template === "string") {
    const declared = Object(parameters.properties);
    const name = WHOLE_PLACEHOLDER.exec(template)?.[1];
    if (name !== undefined && Object.hasOwn(declared, name)) return argumentOf(args, name);
    return template.replaceAll(PLACEHOLDER, (found, inner: string) =>
      Object.hasOwn(declared, inner) ? textOf(argumentOf(args, inner)) : found,
    );
  }
  if (Array.isArray(template)) {
    return template.map((item) => fillValue(item, parameters, args)).filter((item) => item !== undefined);
  }
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) => [key, fillValue(value, parameters, args)]),
  );
}

function fillText(template: string, args: Arguments, map: (text: string) => string): string {
  return template.replaceAll(PLACEHOLDER, (_, name: string) => map(textOf(argumentOf(args, name))));
}

function argumentOf(args: Arguments, name: string): unknown {
  return Object.hasOwn(args, name) ? args[name] : undefined;
}

function scalarText(value: unknown): string | undefined {
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return scalarText(value) ?? JSON.stringify(value);
}

/** Half a surrogate pair has no encoding; it becomes U+FFFD. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

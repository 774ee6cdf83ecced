import type { ChatToolCall } from "../ports/chat-model.ts";

/** Models without arguments to give often send an empty text. A text that is no JSON stays one, to be refused. */
export function parseArguments(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Vendors take nothing but an object when a call is told back to them; what was wrong says the tool's answer. */
export function argumentsObject(call: ChatToolCall): Record<string, unknown> {
  const { arguments: given } = call;
  return typeof given === "object" && given !== null && !Array.isArray(given) ? { ...given } : {};
}

import type { ChatFormat, StreamWriter, WholeAnswer } from "../chat-script.ts";
import type { SimulatorAnswer } from "../simulator.ts";

let answers = 0;

/** How the Messages API answers, whole and as events (platform.claude.com/docs/en/build-with-claude/streaming). */
export function anthropicFormat(
  model: string,
  refuse: (status: number, message: string) => SimulatorAnswer,
): ChatFormat {
  answers += 1;
  const head = { id: `msg_${answers}`, type: "message", role: "assistant", model };
  return {
    contentType: "text/event-stream; charset=utf-8",
    refuse(kind) {
      switch (kind) {
        case "context-length":
          return refuse(400, "prompt is too long: 210000 tokens > 200000 maximum");
        case "rate-limited":
          return {
            ...refuse(429, "This request would exceed your rate limit."),
            headers: { "retry-after": "1" },
          };
        case "quota-exhausted":
          return { ...refuse(402, "Your credit balance is too low to access the Anthropic API.") };
        case "overloaded":
          return refuse(529, "Overloaded");
      }
    },
    whole: (answer) => ({
      ...head,
      content: [...textBlocks(answer), ...toolBlocks(answer)],
      stop_reason: stopReason(answer),
      stop_sequence: null,
      usage: usageOf(answer),
    }),
    writer: (answer) => writerOf(head, answer),
  };
}

function writerOf(head: object, answer: WholeAnswer): StreamWriter {
  const event = (type: string, data: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
  const block = (index: number, content_block: object, delta: object[]) =>
    event("content_block_start", { index, content_block }) +
    delta.map((one) => event("content_block_delta", { index, delta: one })).join("") +
    event("content_block_stop", { index });
  const hasText = (answer.texts ?? []).length > 0;
  const usage = { ...usageOf(answer), output_tokens: 1 };
  return {
    begin: () =>
      event("message_start", {
        message: { ...head, content: [], stop_reason: null, stop_sequence: null, usage },
      }) +
      (hasText ? event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }) : "") +
      event("ping", {}),
    text: (text) => event("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
    end: () =>
      (hasText ? event("content_block_stop", { index: 0 }) : "") +
      toolCalls(answer)
        .map(({ id, name, json }, place) =>
          block(place + (hasText ? 1 : 0), { type: "tool_use", id, name, input: {} }, [
            { type: "input_json_delta", partial_json: json.slice(0, 5) },
            { type: "input_json_delta", partial_json: json.slice(5) },
          ]),
        )
        .join("") +
      event("message_delta", {
        delta: { stop_reason: stopReason(answer), stop_sequence: null },
        usage: { output_tokens: answer.usage.outputTokens },
      }) +
      event("message_stop", {}),
    error: () => event("error", { error: { type: "overloaded_error", message: "Overloaded" } }),
    malformed: () => 'event: content_block_delta\ndata: {"type":"content_block_de\n\n',
  };
}

function textBlocks({ texts = [] }: WholeAnswer): object[] {
  return texts.length === 0 ? [] : [{ type: "text", text: texts.join("") }];
}

function toolCalls({ toolCalls: calls = [] }: WholeAnswer) {
  return calls.map(({ name, arguments: given }, index) => ({
    id: `toolu_${answers}_${index}`,
    name,
    json: typeof given === "string" ? given : JSON.stringify(given),
  }));
}

/** Anthropic's own parser stands between the model and this: input is always an object here. */
function toolBlocks(answer: WholeAnswer): object[] {
  return toolCalls(answer).map(({ id, name, json }) => ({
    type: "tool_use",
    id,
    name,
    input: JSON.parse(json),
  }));
}

function stopReason(answer: WholeAnswer): string {
  if (answer.end === "filtered") return "refusal";
  if (answer.end === "length") return "max_tokens";
  return (answer.toolCalls?.length ?? 0) > 0 ? "tool_use" : "end_turn";
}

function usageOf({ usage }: WholeAnswer) {
  return {
    input_tokens: usage.inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: usage.outputTokens,
  };
}

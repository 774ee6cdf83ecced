import { z } from "zod";
import type { SeenRequest } from "../chat-script.ts";

const cached = { cache_control: z.looseObject({}).optional() };
const text = z.strictObject({ type: z.literal("text"), text: z.string().min(1), ...cached });
const image = z.strictObject({
  type: z.literal("image"),
  source: z.strictObject({
    type: z.literal("base64"),
    media_type: z.enum(["image/png", "image/jpeg", "image/gif", "image/webp"]),
    data: z.base64(),
  }),
  ...cached,
});
const toolUse = z.strictObject({
  type: z.literal("tool_use"),
  id: z.string().regex(/^[a-zA-Z0-9_-]+$/),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  input: z.record(z.string(), z.unknown()),
  ...cached,
});
const toolResult = z.strictObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.union([z.string(), z.array(z.union([text, image]))]).optional(),
  is_error: z.boolean().optional(),
  ...cached,
});
const message = z.discriminatedUnion("role", [
  z.strictObject({
    role: z.literal("user"),
    content: z.union([z.string().min(1), z.array(z.union([text, image, toolResult])).min(1)]),
  }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.union([z.string().min(1), z.array(z.union([text, toolUse])).min(1)]),
  }),
]);

export const messagesBody = z.strictObject({
  model: z.string(),
  max_tokens: z.int().positive().max(64_000),
  messages: z.array(message).min(1),
  system: z.union([z.string(), z.array(text)]).optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().min(0).max(1).optional(),
  stop_sequences: z.array(z.string().min(1)).optional(),
  stream: z.boolean().optional(),
  tools: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
        description: z.string().optional(),
        input_schema: z.looseObject({ type: z.literal("object") }),
        eager_input_streaming: z.boolean().optional(),
        ...cached,
      }),
    )
    .optional(),
  tool_choice: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("auto"), disable_parallel_tool_use: z.boolean().optional() }),
      z.strictObject({ type: z.literal("any"), disable_parallel_tool_use: z.boolean().optional() }),
      z.strictObject({ type: z.literal("none") }),
      z.strictObject({
        type: z.literal("tool"),
        name: z.string(),
        disable_parallel_tool_use: z.boolean().optional(),
      }),
    ])
    .optional(),
});
type MessagesBody = z.infer<typeof messagesBody>;

/** Every `tool_use` is answered in the next message, and nothing else is. */
export function wrongOrder({ messages, tools, tool_choice }: MessagesBody): string | null {
  if (messages[0]?.role !== "user") return 'messages: first message must use the "user" role';
  if (tool_choice !== undefined && tools === undefined) return "tool_choice: requires tools";
  let open = new Set<string>();
  for (const { role, content } of messages) {
    const blocks = typeof content === "string" ? [] : content;
    const answered = blocks.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []));
    for (const id of answered)
      if (!open.delete(id)) return `messages: unexpected tool_use_id found in tool_result blocks: ${id}`;
    if (open.size > 0)
      return "messages: tool_use ids were found without tool_result blocks immediately after";
    if (role === "assistant")
      open = new Set(blocks.flatMap((block) => (block.type === "tool_use" ? [block.id] : [])));
  }
  return open.size > 0 ? "messages: tool_use ids were found without tool_result blocks" : null;
}

export function seenOf(body: MessagesBody): SeenRequest {
  const system = body.system === undefined ? [] : [{ role: "system", text: textOf(body.system) }];
  return {
    model: body.model,
    messages: [...system, ...body.messages.map(({ role, content }) => ({ role, text: textOf(content) }))],
    tools: (body.tools ?? []).map(({ name }) => name),
    stream: body.stream === true,
  };
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((block) => ("text" in block ? String(block.text) : textOf(Reflect.get(block, "content"))))
    .join("");
}

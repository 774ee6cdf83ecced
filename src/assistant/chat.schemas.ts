import { z } from "zod";
import { displayName, isoTime, nextCursor, PageQuery } from "../http/schemas.ts";
import { WorkspaceParams } from "../workspaces/workspaces.schemas.ts";
import { Source } from "./sources.ts";

const MESSAGE_CHARS_MAX = 100_000;
const ATTACHMENTS_MAX = 4;

const Attachment = z
  .strictObject({
    name: z.string().min(1).max(255),
    mime: z.string().min(1).max(100).meta({ example: "image/png" }),
    contentString: z.string().min(1).meta({
      description: "A data URL: `data:image/png;base64,…`.",
      example: "data:image/png;base64,iVBORw0KGgo=",
    }),
  })
  .meta({ id: "ChatAttachment" });
export type Attachment = z.output<typeof Attachment>;

const asked = {
  message: z
    .string()
    .max(MESSAGE_CHARS_MAX)
    .optional()
    .meta({ description: "May be left out only to `reset`.", example: "When do you deliver?" }),
  mode: z.enum(["automatic", "chat", "query"]).optional().meta({
    description:
      "The workspace's own when absent. `query` answers from documents or refuses; `chat` answers without tools; `automatic` may use the workspace's tools.",
  }),
  attachments: z
    .array(Attachment)
    .max(ATTACHMENTS_MAX)
    .optional()
    .meta({ description: "Pictures (PNG, JPEG, GIF, WebP), for models that see.", example: [] }),
  reset: z
    .boolean()
    .optional()
    .meta({ description: "Forgets what was said before in this conversation.", example: false }),
};
const saysSomething = ({
  message = "",
  reset,
}: {
  message?: string | undefined;
  reset?: boolean | undefined;
}) => message.trim() !== "" || reset === true;
const NOTHING_SAID = { path: ["message"], message: "must not be empty" };

export const AskThread = z.strictObject(asked).refine(saysSomething, NOTHING_SAID).meta({ id: "AskThread" });
export const AskWorkspace = z
  .strictObject({
    ...asked,
    sessionId: z.string().min(1).max(255).optional().meta({
      description:
        "Keeps the conversations of your users apart. Without it, it is the workspace's one conversation.",
      example: "visitor-17",
    }),
  })
  .refine(saysSomething, NOTHING_SAID)
  .meta({ id: "AskWorkspace" });
export type AskWorkspace = z.output<typeof AskWorkspace>;

export const Metrics = z
  .object({
    prompt_tokens: z.int(),
    completion_tokens: z.int(),
    total_tokens: z.int(),
    duration: z.number().meta({ description: "Seconds." }),
    outputTps: z.number(),
    model: z.string().nullable().meta({ description: "null: no model answered." }),
    provider: z.string().nullable(),
    timestamp: isoTime,
  })
  .meta({ id: "ChatMetrics" });

const paused = z.boolean().meta({
  description: "A human has taken the conversation over: the message is kept, and nothing is answered.",
  example: false,
});
const chatId = z.int().nullable().meta({ description: "Of the stored answer.", example: 17 });

export const ChatAnswer = z
  .object({
    id: z.uuid(),
    type: z.literal("textResponse"),
    textResponse: z.string().meta({ example: "We deliver within two days [1]." }),
    sources: z.array(Source).meta({ description: "`[1]` in the text is the first of them." }),
    close: z.literal(true),
    error: z.null(),
    chatId,
    metrics: Metrics,
    paused,
  })
  .meta({ id: "ChatAnswer" });

const uuid = z.uuid().meta({ description: "The same in all events of an answer." });
export const ChatEvent = z
  .discriminatedUnion("type", [
    z
      .object({
        uuid,
        type: z.literal("textResponseChunk"),
        textResponse: z.string(),
        sources: z.array(Source).max(0),
        close: z.literal(false),
        error: z.literal(false),
      })
      .meta({ id: "TextResponseChunk" }),
    z
      .object({
        uuid,
        type: z.literal("toolCall"),
        callId: z.string(),
        tool: z.string(),
        status: z.enum(["started", "ok", "failed"]),
        ms: z.int().nullable(),
        close: z.literal(false),
        error: z.literal(false),
      })
      .meta({ id: "ToolCallEvent" }),
    z
      .object({
        uuid,
        type: z.literal("finalizeResponseStream"),
        sources: z.array(Source),
        close: z.literal(true),
        error: z.literal(false),
        chatId,
        metrics: Metrics,
        paused,
      })
      .meta({ id: "FinalizeResponseStream" }),
    z
      .object({
        uuid,
        type: z.literal("abort"),
        textResponse: z.null(),
        sources: z.array(Source).max(0),
        close: z.literal(true),
        error: z.string(),
      })
      .meta({ id: "AbortEvent", description: "It failed after it had begun." }),
  ])
  .meta({ id: "ChatEvent" });

const threadSlug = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, "takes letters, digits, hyphens and underscores");
export const ThreadParams = WorkspaceParams.extend({
  threadSlug: threadSlug.meta({ example: "order-1017" }),
});

export const NewThread = z
  .strictObject({
    name: displayName.optional().meta({ example: "Order 1017" }),
    slug: threadSlug.optional().meta({ description: "Made up when absent.", example: "order-1017" }),
  })
  .meta({ id: "NewThread" });
export const UpdateThread = z.strictObject({ name: displayName }).meta({ id: "UpdateThread" });

const Thread = z
  .object({
    id: z.uuid().meta({ description: "The conversation's." }),
    slug: z.string().meta({ description: "As it stands in paths.", example: "order-1017" }),
    name: z.string().meta({ example: "Order 1017" }),
    workspace_id: z.int(),
    user_id: z.null(),
    createdAt: isoTime,
    lastUpdatedAt: isoTime,
  })
  .meta({ id: "Thread" });
export type Thread = z.output<typeof Thread>;
export const ThreadResponse = z
  .object({ success: z.literal(true), thread: Thread, message: z.null() })
  .meta({ id: "ThreadResponse" });

export const ChatsQuery = PageQuery.extend({
  sessionId: z.string().min(1).max(255).optional().meta({
    description: "Of this session; without it, of the workspace's one conversation.",
  }),
});

const Said = z
  .object({
    role: z.enum(["user", "assistant"]),
    type: z.enum(["chat", "human"]).meta({ description: "`human`: somebody of yours answered." }).optional(),
    content: z.string(),
    status: z.enum(["complete", "pending", "cancelled", "failed"]),
    sources: z.array(Source).optional(),
    attachments: z
      .array(z.object({ name: z.string(), mime: z.string(), size_bytes: z.int() }))
      .meta({ example: [] }),
    metrics: Metrics.nullable().optional(),
    feedbackScore: z.null().optional(),
    chatId: z.int(),
    turn_id: z.uuid().meta({ description: "The same for a question and the answer to it." }),
    sentAt: z.int().meta({ description: "Seconds since 1970." }),
  })
  .meta({ id: "ChatMessage" });
export type Said = z.output<typeof Said>;

export const ChatHistory = z
  .object({
    history: z
      .array(Said)
      .meta({ description: "In the order in which it was said; the first page ends with the newest." }),
    next_cursor: nextCursor.meta({ description: "For what was said before; null when there is nothing." }),
  })
  .meta({ id: "ChatHistory" });

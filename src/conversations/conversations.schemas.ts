import { z } from "zod";
import { booleanQuery, displayName, isoTime, nextCursor, PageQuery, pathSlug } from "../http/schemas.ts";
import { CHANNELS, IDENTITY_KINDS } from "./channel.ts";

const Channel = z.enum(CHANNELS);
const Status = z.enum(["open", "handoff", "closed"]).meta({
  description: "`handoff`: somebody asked for a human. A new message opens a closed conversation again.",
});
/** What the assistant wrote down with a message; JSON or null, and as it was written. */
const stored = z.unknown();
/** With or without fractions of a second: people type it. */
const time = z.iso.datetime();

export const Conversation = z
  .object({
    id: z.uuid(),
    channel: Channel,
    session_id: z
      .string()
      .nullable()
      .meta({ description: "null: the workspace's own conversation of its channel.", example: "visitor-17" }),
    thread_slug: z.string().nullable().meta({ description: "Set for threads.", example: null }),
    name: z.string().nullable().meta({ example: null }),
    status: Status,
    bot_paused: z.boolean().meta({ description: "A human has taken over: the assistant answers nothing." }),
    handoff_reason: z.string().nullable().meta({ example: null }),
    handoff_requested_at: isoTime.nullable().meta({ example: null }),
    contact: z.object({ id: z.uuid(), name: z.string().nullable() }).nullable().meta({ example: null }),
    message_count: z.int().meta({ description: "Counted up to 10,000.", example: 2 }),
    last_message: z
      .object({ role: z.string(), text: z.string().meta({ description: "Its first 200 characters." }) })
      .nullable()
      .meta({ example: { role: "assistant", text: "Within two days." } }),
    last_message_at: isoTime,
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: "Conversation" });
export type Conversation = z.output<typeof Conversation>;

export const Message = z
  .object({
    id: z.int().meta({ description: "Later messages have greater ones.", example: 17 }),
    turn_id: z.uuid().meta({ description: "The same for a question and the answer to it." }),
    role: z
      .enum(["user", "assistant", "human"])
      .meta({ description: "`human`: somebody of yours, instead of the assistant." }),
    text: z.string().meta({ example: "When do you deliver?" }),
    status: z.enum(["complete", "pending", "cancelled", "failed"]).meta({
      description:
        "`pending`: on its way out through the channel. `cancelled`: the person left before the answer was whole.",
    }),
    sources: stored.meta({ description: "What the answer rests on.", example: null }),
    attachments: stored.meta({ example: null }),
    metrics: stored.meta({ example: null }),
    provider: z.string().nullable().meta({ example: null }),
    model: z.string().nullable().meta({ example: null }),
    created_at: isoTime,
  })
  .meta({ id: "ConversationMessage" });
export type Message = z.output<typeof Message>;

export const Contact = z
  .object({
    id: z.uuid(),
    name: z.string().nullable().meta({ example: "Ada" }),
    identities: z.array(z.object({ kind: z.enum(IDENTITY_KINDS), value: z.string() })).meta({
      description: "By what the person is recognised, on any channel. A phone number is in E.164 form.",
      example: [{ kind: "phone", value: "+390612345678" }],
    }),
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: "Contact" });
export type Contact = z.output<typeof Contact>;

export const ConversationParams = z.strictObject({ slug: pathSlug, conversationId: z.uuid() });
export const ContactParams = z.strictObject({ slug: pathSlug, contactId: z.uuid() });

export const ConversationQuery = PageQuery.extend({
  channel: Channel.optional().meta({ description: "Only this channel." }),
  status: z.enum(["open", "handoff", "closed"]).optional().meta({ description: "Only this status." }),
  contact_id: z.uuid().optional().meta({ description: "Only this person's." }),
  bot_paused: booleanQuery
    .optional()
    .meta({ description: "Only those that a human has, or has not, taken over." }),
  from: time.optional().meta({ description: "Last active from this time on (ISO 8601, UTC)." }),
  to: time.optional().meta({ description: "Last active before this time (ISO 8601, UTC)." }),
  q: z.string().trim().min(1).max(200).optional().meta({
    description:
      "Only those with this text in a message, whatever the case. The workspace's newest 50,000 messages (before `to`) are looked through.",
  }),
});
export type ConversationQuery = z.output<typeof ConversationQuery>;

export const ContactQuery = PageQuery.extend({
  identity: z
    .string()
    .min(1)
    .max(320)
    .optional()
    .meta({ description: "Only who is recognised by exactly this.", example: "+390612345678" }),
});
export type ContactQuery = z.output<typeof ContactQuery>;

export const UpdateConversation = z
  .strictObject({
    status: Status.optional(),
    bot_paused: z.boolean().optional().meta({ description: "true: a human takes over.", example: true }),
    name: displayName.nullable().optional().meta({ example: "Refund of order 1017" }),
  })
  .refine((fields) => Object.keys(fields).length > 0, "needs at least one field")
  .meta({ id: "UpdateConversation", minProperties: 1 });
export type UpdateConversation = z.output<typeof UpdateConversation>;

export const AnswerAsHuman = z
  .strictObject({ text: z.string().trim().min(1, "must not be empty").max(20_000) })
  .meta({ id: "AnswerAsHuman" });

export const ConversationList = z
  .object({ conversations: z.array(Conversation), next_cursor: nextCursor })
  .meta({ id: "ConversationList" });
export const ConversationFetched = z
  .object({ conversation: Conversation })
  .meta({ id: "ConversationFetched" });
export const ConversationResponse = z
  .object({ success: z.literal(true), conversation: Conversation })
  .meta({ id: "ConversationResponse" });
export const MessageList = z
  .object({ messages: z.array(Message), next_cursor: nextCursor })
  .meta({ id: "MessageList" });
export const MessageResponse = z
  .object({ success: z.literal(true), message: Message })
  .meta({ id: "MessageResponse" });
export const ContactList = z
  .object({ contacts: z.array(Contact), next_cursor: nextCursor })
  .meta({ id: "ContactList" });

export const ContactExport = z
  .object({
    contact: Contact,
    conversations: z
      .array(
        Conversation.omit({ last_message: true, contact: true, message_count: true }).extend({
          messages: z.array(Message),
        }),
      )
      .meta({ description: "Oldest first. One whose messages fill the page goes on with the next." }),
    also: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))).meta({
      description: "What else is kept, by its kind, such as `calls`; all of it on the first page.",
      example: { calls: [] },
    }),
    next_cursor: nextCursor,
  })
  .meta({ id: "ContactExport" });
export type ContactExport = z.output<typeof ContactExport>;

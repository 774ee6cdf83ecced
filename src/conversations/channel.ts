import type { App } from "../context.ts";
import type { ConversationOwner } from "./conversation.ts";

/** Where people talk to a workspace. */
export const CHANNELS = ["api", "openai", "web", "whatsapp", "voice"] as const;
export type Channel = (typeof CHANNELS)[number];

/** By what a person is recognised. */
export const IDENTITY_KINDS = ["phone", "whatsapp", "email", "external"] as const;
export type IdentityKind = (typeof IDENTITY_KINDS)[number];

/** What a human wrote and a channel is to bring to the person. */
export interface OutgoingMessage {
  /** The same for every attempt: what a provider is given to recognise a repetition by, where it takes something. */
  id: number;
  text: string;
  conversationId: string;
  /** Whom it goes to, as the channel itself named the conversation when it was opened. */
  sessionId: string | null;
  contactId: string | null;
}

/** How a channel brings messages to people who do not ask for them. */
export interface ChannelSender {
  /** Characters that one message may have. */
  textMax: number;
  /**
   * Called by a job, outside any transaction, one message of a conversation after the other. A message may come a
   * second time when the process ended just after it was sent.
   *
   * @throws ProviderError one that is not retryable ends the attempts; anything else is tried again for eight minutes
   */
  send(app: App, owner: ConversationOwner, message: OutgoingMessage, signal: AbortSignal): Promise<void>;
}

import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { Problem } from "../http/problem.ts";
import { getWorkspaceRow } from "../workspaces/find.ts";
import type { Channel } from "./channel.ts";
import { type ConversationRow, ownerOf } from "./conversation.ts";
import { getConversationRow, toMessage } from "./find-conversation.ts";
import { recordHumanMessage } from "./record-human.ts";
import { SEND_ATTEMPTS, SEND_JOB } from "./send-message.jobs.ts";

/** Whoever talks there asks for what is new, so that nothing has to be sent. */
const ASKED_FOR: readonly Channel[] = ["api", "openai", "web"];

/**
 * A human's words, in the place of the assistant's, which is paused by them: two who answer are worse than one. They
 * go out through the conversation's channel, where that has a sender, in the order they were written.
 */
export async function answerAsHuman(
  app: App,
  caller: AccountCaller,
  slug: string,
  conversationId: string,
  text: string,
) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    const conversation = await getConversationRow(tx, workspace.id, conversationId, "update");
    const status = statusFor(app, conversation, text);
    const message = await recordHumanMessage(app, tx, ownerOf(conversation), conversationId, {
      text,
      at: app.now(),
      status,
      pause: true,
    });
    if (status === "pending") {
      await app.queue.enqueue(tx, {
        kind: SEND_JOB,
        partnerId: conversation.partner_id,
        accountId: conversation.account_id,
        organizationId: conversation.organization_id,
        workspaceId: conversation.workspace_id,
        key: String(message.id),
        payload: { workspaceId: conversation.workspace_id, messageId: message.id },
        maxAttempts: SEND_ATTEMPTS,
      });
    }
    await recordAudit(app, tx, caller, {
      action: "conversation.answered",
      resourceType: "conversation",
      resourceId: conversationId,
      organizationId: conversation.organization_id,
      workspaceId: conversation.workspace_id,
      details: { message_id: message.id },
    });
    return { success: true as const, message: toMessage(message) };
  });
}

function statusFor(app: App, { channel }: ConversationRow, text: string): "complete" | "pending" {
  const sender = app.channelSenders[channel];
  if (sender === undefined) {
    if (ASKED_FOR.includes(channel)) return "complete";
    throw new Problem(
      "conflict",
      `Nothing here can send a message through the channel ${channel}: answer this person there yourself.`,
    );
  }
  if (text.length > sender.textMax) {
    throw new Problem(
      "invalid_request",
      `body.text: the channel ${channel} takes ${sender.textMax} characters.`,
      {
        details: [{ path: "body.text", message: `must have at most ${sender.textMax} characters` }],
      },
    );
  }
  return "pending";
}

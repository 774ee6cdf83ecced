import type { App } from "../context.ts";
import { appendTurn } from "../conversations/append-turn.ts";
import type { ConversationState } from "../conversations/conversation.ts";
import { requestHandoff } from "../conversations/handoff.ts";
import { openConversation } from "../conversations/open-conversation.ts";
import { forgetHistory, readConversationAndHistory } from "../conversations/read-history.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { notFound } from "../http/problem.ts";
import { countUsage } from "../usage/count.ts";
import type { WorkspaceRow } from "../workspaces/find.ts";
import { type PastTurn, turnsOf } from "./history.ts";
import type { Source } from "./sources.ts";
import type { TurnMetrics, TurnQuestion } from "./turn.ts";

/** A turn that has begun: whose it is, and what was said before. */
export interface Turn {
  id: string;
  caller: AccountCaller;
  workspace: WorkspaceRow;
  question: TurnQuestion;
  /** `null` until something is stored in it. */
  conversation: ConversationState | null;
  /** Oldest first. */
  turns: PastTurn[];
  hasTools: boolean;
  /** The organization has credentials of its own. */
  hasVendors: boolean;
  askedAt: Date;
}

/** @throws Problem `not_found` for a workspace or a thread that is not there */
export async function beginTurn(
  app: App,
  caller: AccountCaller,
  slug: string,
  question: TurnQuestion,
): Promise<Turn> {
  const { history, ...read } = await readConversationAndHistory(app, caller, slug, question);
  const { conversation } = read;
  if (question.threadSlug !== null && conversation === null) throw notFound("thread");
  if (question.reset && conversation !== null)
    await app.db.asTenant(caller, (tx) => forgetHistory(tx, conversation.id));
  const turns = question.reset || question.client !== null ? [] : turnsOf(history);
  const id = question.turnId ?? app.newId();
  return { id, caller, question, ...read, turns, askedAt: app.now() };
}

/** Makes the conversation before the turn's end, so that calls and hand-offs can name it. */
export async function ensureConversation(app: App, turn: Turn): Promise<void> {
  if (turn.conversation !== null) return;
  const opened = await app.db.asTenant(turn.caller, (tx) => open(app, tx, turn));
  turn.conversation = opened ?? null;
}

/** What was answered; `null`: nothing, a human has taken over. */
export interface Answered {
  text: string;
  status: "complete" | "cancelled" | "failed";
  sources: readonly Source[];
  metrics: TurnMetrics;
}

/**
 * Stores the turn and counts it, in one transaction; once however often it is called.
 *
 * @returns the id of the answer's message; `null` when there is none, or the conversation was erased meanwhile
 */
export async function storeTurn(app: App, turn: Turn, answered: Answered | null): Promise<number | null> {
  const { caller, workspace, question } = turn;
  return app.db.asTenant(caller, async (tx) => {
    const conversation = turn.conversation ?? (await open(app, tx, turn));
    if (conversation === undefined) return null;
    // Both are sent at once: it is the model that was paid for, whatever became of the conversation.
    const [{ assistantId }] = await Promise.all([
      appendTurn(app, tx, {
        conversationId: conversation.id,
        turnId: turn.id,
        user: {
          text: question.text,
          at: turn.askedAt,
          ...(question.attachments.length === 0 ? {} : { attachments: question.attachments }),
        },
        assistant: answered === null ? null : toMessage(app, answered),
      }),
      answered === null ? undefined : countUsage(app, tx, ownerOf(workspace), usageOf(answered)),
    ]);
    const answer = answered === null || assistantId === null ? null : { messageId: assistantId, ...answered };
    await question.whenStored?.(tx, { conversationId: conversation.id, answer });
    return assistantId;
  });
}

function usageOf({ metrics }: Answered) {
  return { messages: 1, inputTokens: metrics.prompt_tokens, outputTokens: metrics.completion_tokens };
}

/** Copies of documents do not stay behind in conversations: a source is kept as the place it points at. */
function toMessage(app: App, { text, status, sources, metrics }: Answered) {
  return {
    text,
    status,
    sources: sources.map((source) => ({ ...source, text: null })),
    metrics,
    provider: metrics.provider,
    model: metrics.model,
    at: app.now(),
  };
}

/** Marks the turn's conversation for a human and tells the partner. @returns whether that is new */
export async function handOff(app: App, turn: Turn, reason: string | null): Promise<boolean> {
  await ensureConversation(app, turn);
  const { caller, conversation } = turn;
  if (conversation === null) throw new Error("the conversation was erased during the turn");
  return app.db.asTenant(caller, (tx) => requestHandoff(app, tx, conversation.id, reason));
}

async function open(app: App, tx: Tx, { workspace, question }: Turn): Promise<ConversationState | undefined> {
  return openConversation(app, tx, ownerOf(workspace), question);
}

function ownerOf(workspace: WorkspaceRow) {
  return {
    partnerId: workspace.partner_id,
    accountId: workspace.account_id,
    organizationId: workspace.organization_id,
    workspaceId: workspace.id,
  };
}

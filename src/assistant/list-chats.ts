import { z } from "zod";
import type { App } from "../context.ts";
import type { MessageRow } from "../conversations/conversation.ts";
import { selectMessages } from "../conversations/list-conversations.ts";
import { readConversationAndHistory } from "../conversations/read-history.ts";
import type { AccountCaller } from "../http/caller.ts";
import { bigintCursor, type PageRequest, toPage } from "../http/page.ts";
import { notFound } from "../http/problem.ts";
import { Metrics, type Said } from "./chat.schemas.ts";
import type { Place } from "./chat.ts";
import { Source } from "./sources.ts";

/** What was said in one conversation since it was last reset, the newest page first. */
export async function listChats(
  app: App,
  caller: AccountCaller,
  { slug, threadSlug }: Place,
  { sessionId, ...page }: PageRequest & { sessionId?: string | undefined },
): Promise<{ history: Said[]; next_cursor: string | null }> {
  const before = bigintCursor(page.cursor);
  const address = { channel: "api" as const, sessionId: sessionId ?? null, threadSlug };
  const { conversation } = await readConversationAndHistory(app, caller, slug, address);
  if (conversation === null) {
    if (threadSlug !== null) throw notFound("thread");
    return { history: [], next_cursor: null };
  }
  const fetched = await app.db.readAsTenant<MessageRow>(caller, (db) =>
    selectMessages(db, conversation.id, before)
      .where("id", ">", conversation.forgotten_until)
      .limit(page.limit + 1),
  );
  const { rows, nextCursor } = toPage(fetched, page.limit, (row) => row.id);
  return { history: rows.reverse().map(toSaid), next_cursor: nextCursor };
}

const Sources = z.array(Source).catch([]);
const Attachments = z.array(z.object({ name: z.string(), mime: z.string(), size_bytes: z.int() })).catch([]);
const StoredMetrics = Metrics.nullable().catch(null);

/** What was stored by an older version may lack a field: it is shown as empty, not as an error. */
function toSaid(row: MessageRow): Said {
  const said = {
    content: row.text,
    status: row.status,
    attachments: Attachments.parse(row.attachments ?? []),
    chatId: row.id,
    turn_id: row.turn_id,
    sentAt: Math.floor(row.created_at.getTime() / 1000),
  };
  if (row.role === "user") return { role: "user", ...said };
  return {
    role: "assistant",
    type: row.role === "human" ? "human" : "chat",
    ...said,
    sources: Sources.parse(row.sources ?? []),
    metrics: StoredMetrics.parse(row.metrics ?? null),
    feedbackScore: null,
  };
}

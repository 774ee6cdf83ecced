import { sql } from "kysely";
import pino from "pino";
import { openApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import type { Tx } from "../../src/db/database.ts";
import type { CallLog } from "../../src/voice/call-log.schemas.ts";
import type { Asked, PersonCall } from "./voice-callers.ts";

/** What is not written half a second after it was said, is written soon after; older than this, it was forgotten. */
const UNWRITTEN_MS_MAX = 4_000;

/** A call in the tables. */
export interface CallRowSeen {
  id: string;
  provider_call_id: string;
  status: string;
  ended_reason: string | null;
  duration_seconds: number | null;
}

/** Every call that the server took is there once, is over, and lasted no longer than the person was on the phone. */
export function compareRows(
  calls: readonly PersonCall[],
  rows: readonly CallRowSeen[],
  logs: readonly CallLog[],
): string[] {
  const violations: string[] = [];
  if (logs.length !== rows.length) violations.push(`${logs.length} calls are shown, ${rows.length} stored`);
  for (const { callSid, isAnnounced, begunAt, endedAt } of calls) {
    const own = rows.filter((row) => row.provider_call_id === callSid);
    if (own.length > 1 || (own.length === 0 && isAnnounced))
      violations.push(`${callSid} is in the log ${own.length} times`);
    for (const { status, ended_reason: reason, duration_seconds: seconds } of own) {
      if (status !== "finalized" || reason === null) violations.push(`${callSid} is ${status} for ever`);
      const mostMs = (endedAt ?? begunAt) - begunAt + 1_000;
      if (seconds === null || seconds * 1_000 > mostMs)
        violations.push(`${callSid} lasted ${seconds} s in the log, and at most ${mostMs} ms on the phone`);
    }
  }
  return violations;
}

/** What was said stands in the transcript, in its order, from the first word on; only the latest may be missing. */
export function compareTalk(
  { callSid, asked }: PersonCall,
  { transcript }: CallLog,
  killedAt: number,
): { violations: string[]; unwrittenMs: number } {
  const violations: string[] = [];
  const written: { text: string; answer: string }[] = [];
  for (const { role, text } of transcript) {
    if (role === "user" || role === "dtmf") written.push({ text, answer: "" });
    const last = written.at(-1);
    // What is said before the first question is the greeting.
    if (role === "assistant" && last !== undefined) last.answer += text;
  }
  const wrong = written.findIndex(({ text }, index) => text !== asked[index]?.text);
  if (wrong >= 0) violations.push(`${callSid}: "${written[wrong]?.text}" stands where it was not said`);
  // By when it was answered: what a server has not come round to hear, nobody can write down.
  let unwrittenAt = asked[written.length]?.heard[0]?.at ?? killedAt;
  for (const [index, { answer }] of written.entries()) {
    const question = asked[index];
    if (question === undefined) break;
    const heard = bare(question.heard.map(({ text }) => text).join(""));
    const kept = bare(answer);
    if (!heard.startsWith(kept) && !kept.startsWith(heard))
      violations.push(`${callSid}: "${answer}" was written, and heard was "${heard}"`);
    if (question.isInterrupted || kept.length >= heard.length) continue;
    if (index < written.length - 1)
      violations.push(`${callSid}: of an answer before the last, only "${answer}" was written`);
    unwrittenAt = Math.min(unwrittenAt, firstMissing(question, kept.length));
  }
  const unwrittenMs = Math.max(0, killedAt - unwrittenAt);
  if (unwrittenMs > UNWRITTEN_MS_MAX)
    violations.push(
      `${callSid}: what was said ${Math.round(unwrittenMs)} ms before the kill was never written`,
    );
  return { violations, unwrittenMs };
}

/** When the first piece came that is not all within so many characters. */
function firstMissing({ heard, at }: Asked, length: number): number {
  let sum = 0;
  for (const piece of heard) {
    sum += bare(piece.text).length;
    if (sum > length) return piece.at;
  }
  return heard.at(-1)?.at ?? at;
}

function bare(text: string): string {
  return text.replaceAll(/\s/g, "");
}

/** Behind the API: nothing was written twice, and what is counted is what there is. */
export async function lookIntoTables(
  environment: Record<string, string>,
  workspaceId: number,
  violations: string[],
): Promise<CallRowSeen[]> {
  const { app, close } = await openApp(readConfig(environment), {
    log: pino({ level: "silent" }),
    onFatal: (error) => violations.push(String(error)),
  });
  const rows = await app.db.asSystem("superadmin", async (tx) => {
    for (const [promise, counter] of Object.entries(PROMISES)) {
      const { rows: broken } = await counter(workspaceId).execute(tx);
      if (Number(broken[0]?.count) !== 0) violations.push(`${promise}: not so ${broken[0]?.count} times`);
    }
    return callRows(tx, workspaceId);
  });
  await close();
  return rows;
}

async function callRows(tx: Tx, workspaceId: number): Promise<CallRowSeen[]> {
  const { rows } = await sql<CallRowSeen>`
    select id, provider_call_id, status, ended_reason, duration_seconds from calls
    where workspace_id = ${workspaceId}`.execute(tx);
  return rows;
}

/** Each counts what breaks it. */
const PROMISES: Readonly<Record<string, (workspaceId: number) => ReturnType<typeof sql<{ count: number }>>>> =
  {
    "events of a call are numbered without gaps": (id) => sql`
    select count(*)::int as count from calls where workspace_id = ${id} and last_sequence <>
      (select count(*) filter (where sequence between 1 and last_sequence) from call_events where call_id = calls.id)`,
    "a call is answered at most once and ended once": (id) => sql`
    select count(*)::int as count from calls where workspace_id = ${id} and not exists (
      select from call_events where call_id = calls.id
      having count(*) filter (where kind = 'answered') <= 1 and count(*) filter (where kind = 'ended') = 1)`,
    "partners are told of a call's end and of its finalization once": (id) => sql`
    select count(*)::int as count from calls where workspace_id = ${id} and
      (select array_agg(type order by type) from webhook_events
        where subject_kind = 'call' and subject_id = calls.id::text and type like 'call.%')
      is distinct from array['call.ended', 'call.finalized']`,
    "each call is finalized by one job, which succeeded": (id) => sql`
    select count(*)::int as count from calls where workspace_id = ${id} and
      (select array_agg(status) from jobs where kind = 'finalize-call' and payload ->> 'callId' = calls.id::text)
      is distinct from array['succeeded']`,
    "the seconds that are billed are those of the calls": (id) => sql`
    select count(*)::int as count from (select 1 where
      (select coalesce(sum(call_seconds), 0) from usage_counts where workspace_id = ${id}) <>
      (select coalesce(sum(duration_seconds), 0) from calls where workspace_id = ${id})) wrong`,
    "the answers that are billed are those of the conversations": (id) => sql`
    select count(*)::int as count from (select 1 where
      (select coalesce(sum(messages), 0) from usage_counts where workspace_id = ${id}) <>
      (select count(*) from messages where workspace_id = ${id} and role = 'assistant')) wrong`,
    "a question is in the conversation once": (id) => sql`
    select count(*)::int as count from (select from messages where workspace_id = ${id} and role = 'user'
      group by conversation_id, text having count(*) > 1) twice`,
  };

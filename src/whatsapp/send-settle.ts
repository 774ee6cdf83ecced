import { sql } from "kysely";
import type { App } from "../context.ts";
import type { Tenant, Tx } from "../db/database.ts";
import type { MessengerError, MessengerErrorKind } from "../ports/messenger.ts";
import { asMessengerError, changeStatus, lastErrorOf } from "./connection.ts";
import type { ClaimedMessage } from "./send-claim.ts";
import type { SendGate } from "./send-gate.ts";
import { failMessage, inMs, ours, type Ready, type SendError } from "./send-state.ts";
import type { ConnectionStatus } from "./whatsapp.tables.ts";

const ATTEMPTS_MAX = 8;
const AGAIN_FIRST_MS = 2_000;
const AGAIN_MAX_MS = 300_000;
/** Meta's limit for one person and one number; it wants 4, 16, 64 … seconds of rest. */
const PAIR_LIMIT = 131056;
const PAIR_ATTEMPTS_MAX = 5;

/** What these mean for the connection, and why. Its messages wait until somebody has put that right. */
const CONNECTION_STATES: Readonly<
  Partial<Record<MessengerErrorKind, readonly [status: ConnectionStatus, reason: string]>>
> = {
  reauth: ["reauth_required", "token"],
  permission: ["reauth_required", "permission"],
  payment: ["needs_payment", "payment"],
  blocked: ["blocked", "policy"],
  not_registered: ["needs_register", "not_registered"],
};
const RETRIED: readonly MessengerErrorKind[] = ["transient", "throttled", "wait", "media"];

/** Meta has taken it. A status may have said more already. */
export async function settleAccepted(tx: Tx, { id }: ClaimedMessage, wamid: string): Promise<void> {
  await tx
    .updateTable("whatsapp_messages")
    .set({
      wamid,
      state: sql`case when state in ('pending', 'sending', 'unknown') then 'accepted' else state end`,
      lease_until: null,
      error: sql`case when state in ('pending', 'sending', 'unknown') then null else error end`,
      updated_at: sql<Date>`now()`,
    })
    .where("id", "=", id)
    .execute();
}

export async function settleFailure(
  app: App,
  { gate, graceMs }: { gate: SendGate; graceMs: number },
  tenant: Tenant,
  claimed: ClaimedMessage,
  ready: Ready,
  error: unknown,
): Promise<void> {
  const refusal = asMessengerError(error) ?? null;
  const isPairLimit = refusal?.metaCode === PAIR_LIMIT;
  if (refusal?.kind === "throttled" && !isPairLimit)
    gate.hold(claimed.phone_number_id, waitMs(claimed, refusal));
  app.log.warn(
    { error, messageId: claimed.id, attempt: claimed.attempts, ...tenant },
    "a WhatsApp message was not sent",
  );
  await app.db.asTenant(
    tenant,
    async (tx) => {
      // Not answered in time, or not by Meta: it may be on its way. Only a status can tell; see `settleUnknownIn`.
      if (refusal?.isAmbiguous) return waitForStatus(tx, claimed, graceMs);
      if (refusal !== null && refusal.kind in CONNECTION_STATES)
        return park(app, tx, claimed, ready, refusal);
      if (!isRetried(refusal, claimed)) return failMessage(tx, claimed, toSendError(refusal));
      if (isPairLimit) await restPerson(tx, ready.contactId, waitMs(claimed, refusal));
      await again(tx, claimed, isPairLimit ? 0 : waitMs(claimed, refusal), toSendError(refusal));
    },
    "background",
  );
}

function isRetried(refusal: MessengerError | null, { attempts }: ClaimedMessage): boolean {
  if (refusal === null) return attempts < ATTEMPTS_MAX;
  const max = refusal.metaCode === PAIR_LIMIT ? PAIR_ATTEMPTS_MAX : ATTEMPTS_MAX;
  return attempts < max && RETRIED.includes(refusal.kind);
}

/** 2, 4, 8 … s, or 4, 16, 64 … for one person; spread by a quarter; never sooner than Meta asks for. */
function waitMs({ id, attempts }: ClaimedMessage, refusal: MessengerError | null): number {
  const growing =
    refusal?.metaCode === PAIR_LIMIT ? 1_000 * 4 ** attempts : AGAIN_FIRST_MS * 2 ** (attempts - 1);
  const spread = 1 + 0.25 * (Number.parseInt(id.slice(-4), 16) / 0xffff);
  return Math.round(Math.max(Math.min(growing, AGAIN_MAX_MS), refusal?.retryAfterMs ?? 0) * spread);
}

async function waitForStatus(tx: Tx, claimed: ClaimedMessage, graceMs: number): Promise<void> {
  await ours(tx, claimed)
    .set({ lease_until: inMs(graceMs) })
    .execute();
}

/** The message stays as it was; the connection says what is wrong, once. */
async function park(
  app: App,
  tx: Tx,
  claimed: ClaimedMessage,
  { connection, kind }: Ready,
  refusal: MessengerError,
): Promise<void> {
  // A human's message fails here and now: who wrote it can do something about it.
  if (kind === "human") await failMessage(tx, claimed, toSendError(refusal));
  else
    await ours(tx, claimed)
      .set({ state: "pending", lease_until: null, attempts: claimed.attempts - 1 })
      .execute();
  const held = await tx
    .selectFrom("whatsapp_connections")
    .select(["status", "token"])
    .where("id", "=", connection.id)
    .forUpdate()
    .executeTakeFirst();
  const consequence = CONNECTION_STATES[refusal.kind];
  // Somebody has signed in again since: it was the old token that Meta refused.
  const isCurrent = held?.status === "active" && held.token === connection.token;
  if (consequence === undefined || !isCurrent) return;
  const [status, reason] = consequence;
  await changeStatus(app, tx, connection, status, reason, lastErrorOf(refusal, app.now()));
}

/** Nothing to this person for a while, also not what comes next. */
async function restPerson(tx: Tx, contactId: string, ms: number): Promise<void> {
  await tx
    .updateTable("whatsapp_contacts")
    .set({ send_after: inMs(ms) })
    .where("id", "=", contactId)
    .execute();
}

async function again(tx: Tx, claimed: ClaimedMessage, ms: number, error: SendError): Promise<void> {
  await ours(tx, claimed)
    .set({
      state: "pending",
      lease_until: null,
      due_at: inMs(ms),
      error: sql`${JSON.stringify(error)}::json`,
    })
    .execute();
}

function toSendError(refusal: MessengerError | null): SendError {
  if (refusal === null) return { code: "internal", message: "An internal error; the log has it." };
  const code = refusal.kind === "window" ? "outside_window" : refusal.kind;
  return { code, message: refusal.message, trace_id: refusal.traceId };
}

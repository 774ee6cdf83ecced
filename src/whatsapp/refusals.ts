import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { changeStatus } from "./connection.ts";
import type { InboxRow } from "./inbox-claim.ts";
import { errorOf, isBefore, lockLiveConnection } from "./inbox-facts.ts";
import type { ConnectionStatus } from "./whatsapp.tables.ts";

/** Meta's codes of a message that failed for a reason that holds for all messages of the number. */
const REFUSALS: Readonly<Record<number, readonly [status: ConnectionStatus, reason: string]>> = {
  0: ["reauth_required", "token"],
  3: ["reauth_required", "permission"],
  10: ["reauth_required", "permission"],
  190: ["reauth_required", "token"],
  368: ["blocked", "policy"],
  130497: ["blocked", "policy"],
  131005: ["reauth_required", "permission"],
  131031: ["blocked", "policy"],
  131042: ["needs_payment", "payment"],
  131045: ["blocked", "certificate"],
  133010: ["needs_register", "not_registered"],
};
/** What was refused longer ago says nothing of now: Meta repeats itself for days. */
const REFUSAL_OLD_MS = 3_600_000;

/** A message failed: the connection's status says so when none other would fare better. Only of one that worked. */
export async function applyRefusal(
  app: App,
  tx: Tx,
  row: InboxRow,
  refusal: { code: number | null; message: string | null; at: Date | undefined },
): Promise<void> {
  const consequence = consequenceOf(refusal.code);
  if (consequence === undefined) return;
  const connection = await lockLiveConnection(tx, row.connection_id);
  if (connection?.status !== "active") return;
  const at = refusal.at ?? row.received_at;
  const since = Math.max(
    app.now().getTime() - REFUSAL_OLD_MS,
    (connection.connected_at ?? connection.created_at).getTime(),
  );
  if (isBefore(at, new Date(since))) return;
  const [status, reason] = consequence;
  const message = refusal.message ?? "Meta refused a message.";
  await changeStatus(app, tx, connection, status, reason, errorOf(`meta_${refusal.code}`, message, at));
}

function consequenceOf(code: number | null): readonly [ConnectionStatus, string] | undefined {
  if (code === null) return undefined;
  return code >= 200 && code <= 299 ? ["reauth_required", "permission"] : REFUSALS[code];
}

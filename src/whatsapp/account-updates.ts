import type { UpdateObject } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import type { Caller } from "../http/caller.ts";
import { asJson, type ConnectionRow, changeStatus } from "./connection.ts";
import { beginDisconnection } from "./disconnect.ts";
import type { InboxRow } from "./inbox-claim.ts";
import { errorOf, isBefore, lockLiveConnection, timeOf } from "./inbox-facts.ts";
import { asList, asRecord, asText, type Json } from "./webhook-json.ts";

/** After these the token opens nothing any more, and the customer has to connect anew. */
const ENDINGS = [
  "PARTNER_REMOVED",
  "PARTNER_APP_UNINSTALLED",
  "ACCOUNT_DELETED",
  "ACCOUNT_OFFBOARDED",
  "DISABLED_UPDATE",
];
/** Something is wrong with the account that does not end it: Meta is asked how it stands. */
const WARNINGS = ["ACCOUNT_VIOLATION", "ACCOUNT_RESTRICTION", "DISABLED_UPDATE"];

/** What happened to an account or a number, done to the connection that it was sent for. */
export async function applyAccountUpdate(app: App, tx: Tx, row: InboxRow): Promise<void> {
  if (row.kind !== "account" && row.kind !== "number") return;
  const connection = await lockLiveConnection(tx, row.connection_id);
  const { field, value, time } = asRecord(row.raw);
  // What happened before this connection was made happened to the one before it.
  if (connection === undefined || isBefore(timeOf(time) ?? row.received_at, connection.created_at)) return;
  if (row.kind === "number") await applyToNumber(app, tx, connection, field, asRecord(value));
  else if (field === "account_update") await applyToAccount(app, tx, connection, row, asRecord(value));
  else await checkSoon(app, tx, connection);
}

async function applyToAccount(app: App, tx: Tx, connection: ConnectionRow, row: InboxRow, value: Json) {
  const event = asText(value.event) ?? "";
  if (ENDINGS.includes(event) && isFinal(app, value)) {
    await endByCustomer(app, tx, connection, row, event);
  } else if (WARNINGS.includes(event)) {
    const error = errorOf(event.toLowerCase(), describe(value), row.received_at);
    if (connection.status === "active" && forbidsAnswers(value))
      await changeStatus(app, tx, connection, "blocked", "restricted", error);
    await checkSoon(app, tx, connection, isOver(value) ? {} : { last_error: asJson(error) });
  }
}

/** An account can be about to be disabled, or be reinstated; and it may be another partner's app that was removed. */
function isFinal(app: App, value: Json): boolean {
  const ban = asText(asRecord(value.ban_info).waba_ban_state);
  const appId = asText(asRecord(value.waba_info).partner_app_id);
  return (ban === null || ban === "DISABLE") && (appId === null || appId === app.config.meta?.appId);
}

/** What was wrong is no more. */
function isOver(value: Json): boolean {
  return asRecord(value.ban_info).waba_ban_state === "REINSTATE";
}

function forbidsAnswers(value: Json): boolean {
  return asList(value.restriction_info).some(
    ({ restriction_type }) => restriction_type === "RESTRICTED_CUSTOMER_INITIATED_MESSAGING",
  );
}

/**
 * The customer ended it on their side: nothing is left that Meta would have to be told, and our copies of the secrets
 * go at once.
 */
async function endByCustomer(app: App, tx: Tx, connection: ConnectionRow, row: InboxRow, event: string) {
  const reason = "disconnected_by_customer";
  await update(app, tx, connection, { token: null, token_expires_at: null, pin: null });
  const caller: Caller = {
    partnerId: connection.partner_id,
    actor: { kind: "system", id: null },
    requestId: `whatsapp-inbox-${row.id}`,
  };
  await recordAudit(app, tx, caller, {
    action: "whatsapp.disconnected",
    resourceType: "whatsapp_connection",
    resourceId: connection.id,
    accountId: connection.account_id,
    organizationId: connection.organization_id,
    workspaceId: connection.workspace_id,
    details: { reason, event },
  });
  // Without a token there is no job that calls Meta.
  await beginDisconnection(app, tx, { ...connection, token: null }, { reason, releaseNumber: false });
}

/** Meta says here what changed; how the number stands as a whole is asked for soon. */
async function applyToNumber(
  app: App,
  tx: Tx,
  connection: ConnectionRow,
  field: unknown,
  value: Json,
): Promise<void> {
  const event = asText(value.event);
  if (field === "phone_number_quality_update") {
    await checkSoon(app, tx, connection, {
      ...(event === "FLAGGED" ? { quality_rating: "RED" } : {}),
      ...(event === "UNFLAGGED" ? { quality_rating: "UNKNOWN" } : {}),
      ...(event === "THROUGHPUT_UPGRADE" ? { throughput: "HIGH" } : {}),
    });
  } else if (field === "phone_number_name_update") {
    const decision = asText(value.decision);
    const name = asText(value.requested_verified_name);
    await checkSoon(app, tx, connection, {
      ...(decision === null ? {} : { name_status: decision }),
      ...(decision === "APPROVED" && name !== null ? { verified_name: name } : {}),
    });
  } else await checkSoon(app, tx, connection);
}

async function checkSoon(app: App, tx: Tx, connection: ConnectionRow, change: Change = {}): Promise<void> {
  await update(app, tx, connection, { ...change, check_at: app.now() });
}

type Change = UpdateObject<Tables, "whatsapp_connections">;

async function update(app: App, tx: Tx, connection: ConnectionRow, change: Change): Promise<void> {
  await tx
    .updateTable("whatsapp_connections")
    .set({ ...change, updated_at: app.now() })
    .where("id", "=", connection.id)
    .execute();
}

function describe(value: Json): string {
  const violation = asText(asRecord(value.violation_info).violation_type);
  const ban = asText(asRecord(value.ban_info).waba_ban_state);
  const restrictions = asList(value.restriction_info).flatMap((one) => asText(one.restriction_type) ?? []);
  const what = [violation, ban, ...restrictions].filter((part) => part !== null).join(", ");
  return `Meta says of this WhatsApp account: ${what === "" ? (asText(value.event) ?? "") : what}.`;
}

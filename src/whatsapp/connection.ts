import { type Selectable, sql } from "kysely";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { MessengerError } from "../ports/messenger.ts";
import { type EventTenant, recordEvent } from "../webhooks/record-event.ts";
import type { ConnectionStatus, WhatsAppTables } from "./whatsapp.tables.ts";

export type ConnectionRow = Selectable<WhatsAppTables["whatsapp_connections"]>;

/** Nothing is received, answered or checked any more. */
export const OVER: readonly ConnectionStatus[] = ["disconnecting", "disconnected"];

/** What went wrong last, as a partner reads it. */
export interface LastError {
  code: string;
  message: string;
  /** What Meta's support asks for. */
  trace_id: string | null;
  at: string;
}

/** The workspace's connection; one whose number is not chosen yet only where there is no other. */
export async function findLiveConnection(tx: Tx, workspaceId: number): Promise<ConnectionRow | undefined> {
  return selectLive(tx, workspaceId).limit(1).executeTakeFirst();
}

/** The one that has a number first, then the newest. */
export function selectLive(tx: Tx, workspaceId: number) {
  return tx
    .selectFrom("whatsapp_connections")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("status", "not in", OVER)
    .orderBy(sql`phone_number_id is null`)
    .orderBy("created_at", "desc");
}

export function ownerOf(row: ConnectionRow): EventTenant & { accountId: string; workspaceId: number } {
  return {
    partnerId: row.partner_id,
    accountId: row.account_id,
    organizationId: row.organization_id,
    workspaceId: row.workspace_id,
  };
}

/** The customer's token, for a call to Meta. */
export function openToken(app: App, connection: Pick<ConnectionRow, "id" | "token">): string {
  if (connection.token === null) throw new Error(`the connection ${connection.id} has no token`);
  return app.secrets.open(connection.token, tokenPurpose(connection.id));
}

export function sealToken(app: App, connectionId: string, token: string): string {
  return app.secrets.seal(token, tokenPurpose(connectionId));
}

export function openPin(app: App, connection: Pick<ConnectionRow, "id" | "pin">): string | null {
  return connection.pin === null ? null : app.secrets.open(connection.pin, pinPurpose(connection.id));
}

export function sealPin(app: App, connectionId: string, pin: string): string {
  return app.secrets.seal(pin, pinPurpose(connectionId));
}

/**
 * Puts a connection into another state; one that is over stays over. Call it towards the end of a transaction: partners
 * are told once when a number is connected, and once when its customer has to sign in again.
 *
 * @param reason in a word a program can switch on
 * @returns whether anything changed
 */
export async function changeStatus(
  app: App,
  tx: Tx,
  connection: Pick<ConnectionRow, "id">,
  status: ConnectionStatus,
  reason: string | null,
  error?: LastError | null,
): Promise<boolean> {
  const before = await tx
    .selectFrom("whatsapp_connections")
    .selectAll()
    .where("id", "=", connection.id)
    .where("status", "not in", OVER)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (before === undefined) return false;
  const isFirst = status === "active" && before.connected_at === null;
  const isSame = before.status === status && before.status_reason === reason;
  await tx
    .updateTable("whatsapp_connections")
    .set({
      status,
      status_reason: reason,
      updated_at: app.now(),
      ...(isFirst ? { connected_at: app.now() } : {}),
      ...(status === "reauth_required" ? { check_at: null } : {}),
      ...(error === undefined ? {} : { last_error: asJson(error) }),
    })
    .where("id", "=", connection.id)
    .execute();
  if (status === "reauth_required" && before.status !== "reauth_required")
    await tell(app, tx, before, "whatsapp.reauth_required", { reason });
  if (status === "active" && (isFirst || before.status === "reauth_required"))
    await tell(app, tx, before, "whatsapp.connected", { phone_number: before.phone });
  return !isSame;
}

/** An event of a connection; its data are what every one of them says, and `facts`. */
export async function tell(
  app: App,
  tx: Tx,
  connection: ConnectionRow,
  type: "whatsapp.connected" | "whatsapp.disconnected" | "whatsapp.reauth_required",
  facts: Record<string, unknown>,
): Promise<void> {
  await recordEvent(app, tx, ownerOf(connection), {
    type,
    subject: { kind: "whatsapp_connection", id: connection.id },
    data: { connection_id: connection.id, workspace_id: connection.workspace_id, ...facts },
  });
}

/** An error of Meta's, as it is kept and shown. */
export function lastErrorOf(error: MessengerError, at: Date): LastError {
  return {
    code: error.metaCode === null ? error.kind : `meta_${error.metaCode}`,
    message: error.message,
    trace_id: error.traceId,
    at: at.toISOString(),
  };
}

/** What is thrown by a call to Meta that took too long says so, whoever noticed. */
export function asMessengerError(error: unknown): MessengerError | undefined {
  if (error instanceof MessengerError) return error;
  if (!(error instanceof Error) || error.name !== "TimeoutError") return undefined;
  return new MessengerError(
    "Meta did not answer in time.",
    { provider: "meta", code: "timeout", retryable: true },
    { kind: "transient", isAmbiguous: true },
    error,
  );
}

/** Written with {@link LastError} only. */
export function asLastError(value: unknown): LastError | null {
  return value as LastError | null;
}

export function asJson(value: unknown) {
  return value === null ? null : sql`${JSON.stringify(value)}::json`;
}

function tokenPurpose(connectionId: string): string {
  return `whatsapp-token:${connectionId}`;
}

function pinPurpose(connectionId: string): string {
  return `whatsapp-pin:${connectionId}`;
}

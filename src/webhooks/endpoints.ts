import { type Selectable, sql } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { Caller } from "../http/caller.ts";
import { type PageRequest, toPage, uuidCursor } from "../http/page.ts";
import { notFound, Problem } from "../http/problem.ts";
import { noteWebhooks } from "../partners/partners.service.ts";
import { newSecret, sealSecret } from "./endpoint-secret.ts";
import { checkEndpointUrl } from "./endpoint-url.ts";
import {
  type CreateWebhookEndpoint,
  type UpdateWebhookEndpoint,
  WebhookEndpoint,
} from "./webhooks.schemas.ts";
import type { WebhookTables } from "./webhooks.tables.ts";

type Row = Selectable<WebhookTables["webhook_endpoints"]>;

/** Every endpoint costs each event a delivery. */
const ENDPOINTS_MAX = 1_000;
/** How long the secret before a rotation goes on signing. */
const OVERLAP = sql`interval '24 hours'`;

/** Newest first: the partner's own and those of its accounts, or one account's when the caller names one. */
export async function listEndpoints(app: App, caller: Caller, page: PageRequest) {
  const before = uuidCursor(page.cursor);
  const fetched = await app.db.readAsTenant<Row>(caller, (db) => {
    let select = db
      .selectFrom("webhook_endpoints")
      .selectAll()
      .where("partner_id", "=", caller.partnerId)
      .orderBy("id", "desc")
      .limit(page.limit + 1);
    if (caller.accountId !== undefined) select = select.where("account_id", "=", caller.accountId);
    return before === undefined ? select : select.where("id", "<", before);
  });
  const { rows, nextCursor } = toPage(fetched, page.limit, (row) => row.id);
  return { webhook_endpoints: rows.map(toEndpoint), next_cursor: nextCursor };
}

export async function getEndpoint(app: App, caller: Caller, endpointId: string) {
  const row = await app.db.asTenant(caller, (tx) => getEndpointRow(tx, caller, endpointId));
  return { webhook_endpoint: toEndpoint(row) };
}

/** The partner's, or the account's that the caller names. The secret is in this answer only. */
export async function createEndpoint(app: App, caller: Caller, fields: CreateWebhookEndpoint) {
  const url = checkEndpointUrl(app.config, fields.url);
  const secret = newSecret();
  // Before the endpoint: from its commit on nothing may be missed.
  await noteWebhooks(app, caller.partnerId);
  return app.db.asTenant(caller, async (tx) => {
    await refuseTooMany(tx, caller);
    const id = app.newId();
    const row = await tx
      .insertInto("webhook_endpoints")
      .values({
        partner_id: caller.partnerId,
        account_id: caller.accountId ?? null,
        id,
        url,
        description: fields.description ?? null,
        events: fields.events ?? null,
        secret: sealSecret(app, id, secret),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    await auditEndpoint(app, tx, caller, "webhook_endpoint.created", row);
    return { success: true as const, webhook_endpoint: toEndpoint(row), secret };
  });
}

export async function updateEndpoint(
  app: App,
  caller: Caller,
  endpointId: string,
  fields: UpdateWebhookEndpoint,
) {
  const url = fields.url === undefined ? {} : { url: checkEndpointUrl(app.config, fields.url) };
  return changeEndpoint(app, caller, endpointId, "webhook_endpoint.updated", { ...fields, ...url }, fields);
}

export async function deleteEndpoint(app: App, caller: Caller, endpointId: string) {
  return app.db.asTenant(caller, async (tx) => {
    const row = await getEndpointRow(tx, caller, endpointId, "update");
    await tx.deleteFrom("webhook_endpoints").where("id", "=", row.id).execute();
    await auditEndpoint(app, tx, caller, "webhook_endpoint.deleted", row);
    return { success: true as const };
  });
}

/** A new secret; the one before signs beside it for 24 h, so that receivers can change over. */
export async function rotateSecret(app: App, caller: Caller, endpointId: string) {
  const secret = newSecret();
  const answer = await changeEndpoint(app, caller, endpointId, "webhook_endpoint.secret_rotated", {
    previous_secret: sql<string>`secret`,
    previous_secret_until: sql<Date>`now() + ${OVERLAP}`,
    secret: sealSecret(app, endpointId, secret),
  });
  return { ...answer, secret };
}

async function changeEndpoint(
  app: App,
  caller: Caller,
  endpointId: string,
  action: `webhook_endpoint.${string}`,
  change: object,
  sent: object = {},
) {
  return app.db.asTenant(caller, async (tx) => {
    const { id } = await getEndpointRow(tx, caller, endpointId, "update");
    const row = await tx
      .updateTable("webhook_endpoints")
      .set({ ...change, updated_at: sql`now()` })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await auditEndpoint(app, tx, caller, action, row, { fields: Object.keys(sent) });
    return { success: true as const, webhook_endpoint: toEndpoint(row) };
  });
}

/** The endpoint of this partner, and of the account when the caller names one; or 404. */
export async function getEndpointRow(
  tx: Tx,
  caller: Caller,
  endpointId: string,
  hold: "none" | "update" = "none",
): Promise<Row> {
  let select = tx
    .selectFrom("webhook_endpoints")
    .selectAll()
    .where("partner_id", "=", caller.partnerId)
    .where("id", "=", endpointId);
  if (caller.accountId !== undefined) select = select.where("account_id", "=", caller.accountId);
  const row = await (hold === "update" ? select.forUpdate() : select).executeTakeFirst();
  if (row === undefined) throw notFound("webhook endpoint");
  return row;
}

export async function auditEndpoint(
  app: App,
  tx: Tx,
  caller: Caller,
  action: `webhook_endpoint.${string}`,
  endpoint: { id: string; account_id: string | null },
  details: Record<string, unknown> = {},
): Promise<void> {
  await recordAudit(app, tx, caller, {
    action,
    resourceType: "webhook_endpoint",
    resourceId: endpoint.id,
    ...(endpoint.account_id === null ? {} : { accountId: endpoint.account_id }),
    details,
  });
}

export function toEndpoint(row: Row): WebhookEndpoint {
  return WebhookEndpoint.parse({
    ...row,
    status: row.disabled_at === null ? "enabled" : "disabled",
    disabled_at: row.disabled_at?.toISOString() ?? null,
    failing_since: row.failing_since?.toISOString() ?? null,
    previous_secret_until: row.previous_secret_until?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  });
}

async function refuseTooMany(tx: Tx, caller: Caller): Promise<void> {
  const { count } = await tx
    .selectFrom("webhook_endpoints")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("partner_id", "=", caller.partnerId)
    .executeTakeFirstOrThrow();
  if (count < ENDPOINTS_MAX) return;
  throw new Problem("conflict", `There are ${ENDPOINTS_MAX} webhook endpoints already. Delete some first.`);
}

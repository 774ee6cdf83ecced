import { sql } from "kysely";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { type PageRequest, toPage, uuidCursor } from "../http/page.ts";
import { notFound, Problem } from "../http/problem.ts";
import { getOrganizationRow } from "../organizations/find.ts";
import { ModelProvider, type PutModelProvider } from "./models.schemas.ts";
import { ADDRESS_NEEDED, KEYLESS, type ModelProviderRow, purposeOf } from "./vendors.ts";

/** Last changed first. */
export async function listModelProviders(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  page: PageRequest,
) {
  const before = uuidCursor(page.cursor);
  return app.db.asTenant(caller, async (tx) => {
    const { id } = await getOrganizationRow(tx, caller, orgSlug);
    const select = tx
      .selectFrom("model_providers")
      .selectAll()
      .where("organization_id", "=", id)
      .orderBy("version", "desc")
      .limit(page.limit + 1);
    const fetched = await (before === undefined ? select : select.where("version", "<", before)).execute();
    const { rows, nextCursor } = toPage(fetched, page.limit, (row) => row.version);
    return { model_providers: rows.map(toModelProvider), next_cursor: nextCursor };
  });
}

/** All of it is replaced, the key too: nobody can send a stored key to an address of their own. */
export async function putModelProvider(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  fields: PutModelProvider,
) {
  checkFields(fields);
  return app.db.asTenant(caller, async (tx) => {
    const organization = await getOrganizationRow(tx, caller, orgSlug, "share");
    const { provider, api_key: apiKey = null, models = null } = fields;
    const purpose = purposeOf({ organization_id: organization.id, provider });
    const columns = {
      base_url: fields.base_url ?? null,
      api_key: apiKey === null ? null : app.secrets.seal(apiKey, purpose),
      models: models === null ? null : sql`${JSON.stringify(models)}::json`,
      context_tokens: fields.context_tokens ?? null,
      max_output_tokens: fields.max_output_tokens ?? null,
      version: app.newId(),
    };
    const row = await tx
      .insertInto("model_providers")
      .values({
        ...columns,
        partner_id: caller.partnerId,
        account_id: caller.accountId,
        organization_id: organization.id,
        provider,
      })
      .onConflict((conflict) =>
        conflict.columns(["organization_id", "provider"]).doUpdateSet({ ...columns, updated_at: sql`now()` }),
      )
      .returningAll()
      .executeTakeFirstOrThrow();
    await audit(app, tx, caller, "model_provider.saved", row);
    return { success: true as const, model_provider: toModelProvider(row) };
  });
}

export async function deleteModelProvider(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  provider: string,
) {
  return app.db.asTenant(caller, async (tx) => {
    const organization = await getOrganizationRow(tx, caller, orgSlug, "share");
    const row = await tx
      .deleteFrom("model_providers")
      .where("organization_id", "=", organization.id)
      .where("provider", "=", provider)
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw notFound("model provider");
    await audit(app, tx, caller, "model_provider.deleted", row);
    return { success: true as const };
  });
}

/** For `rotate-secrets`: how many keys were sealed anew. */
export async function resealModelProviders(app: App): Promise<number> {
  return app.db.asSystem("superadmin", async (tx) => {
    const rows = await tx
      .selectFrom("model_providers")
      .selectAll()
      .where("api_key", "is not", null)
      .forUpdate()
      .execute();
    const old = rows.filter((row) => row.api_key?.split(".")[1] !== app.secrets.keyId);
    for (const row of old) {
      const purpose = purposeOf(row);
      await tx
        .updateTable("model_providers")
        .set({ api_key: app.secrets.seal(app.secrets.open(row.api_key ?? "", purpose), purpose) })
        .where("organization_id", "=", row.organization_id)
        .where("provider", "=", row.provider)
        .execute();
    }
    return old.length;
  });
}

function checkFields({ provider, api_key: apiKey = null, base_url: baseUrl = null }: PutModelProvider): void {
  if (apiKey === null && !KEYLESS.includes(provider)) throw wrong("api_key", `is needed by ${provider}`);
  if (baseUrl === null) {
    if (ADDRESS_NEEDED.includes(provider)) throw wrong("base_url", `is needed by ${provider}`);
    return;
  }
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:")
    throw wrong("base_url", "must be an absolute http or https URL");
  if (url.username !== "" || url.password !== "")
    throw wrong("base_url", "must not carry credentials: use api_key");
  if (url.hash !== "" || url.search !== "") throw wrong("base_url", "takes no query and no fragment");
}

function wrong(field: string, message: string): Problem {
  const path = `body.${field}`;
  return new Problem("invalid_request", `${path}: ${message}.`, { details: [{ path, message }] });
}

function toModelProvider(row: ModelProviderRow): ModelProvider {
  return ModelProvider.parse({
    ...row,
    has_api_key: row.api_key !== null,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  });
}

async function audit(
  app: App,
  tx: Tx,
  caller: AccountCaller,
  action: `model_provider.${string}`,
  row: ModelProviderRow,
): Promise<void> {
  await recordAudit(app, tx, caller, {
    action,
    resourceType: "model_provider",
    resourceId: row.provider,
    organizationId: row.organization_id,
  });
}

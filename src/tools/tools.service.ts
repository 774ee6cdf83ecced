import { type Selectable, sql } from "kysely";
import type { z } from "zod";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { isUniqueViolation } from "../db/violations.ts";
import type { AccountCaller } from "../http/caller.ts";
import { type PageRequest, toPage, uuidCursor } from "../http/page.ts";
import { notFound, Problem } from "../http/problem.ts";
import { getOrganizationRow } from "../organizations/find.ts";
import { checkDefinition, type ToolDefinition } from "./definition.ts";
import {
  findRedirectedSecret,
  joinSecrets,
  keepHidden,
  keepSecret,
  splitSecrets,
  type ToolSecrets,
} from "./tool-secrets.ts";
import { type CreateTool, HIDDEN, HttpTool, McpTool, Tool, type UpdateTool } from "./tools.schemas.ts";
import type { ToolTables } from "./tools.tables.ts";

export type ToolRow = Selectable<ToolTables["tools"]>;

/** Newest first. */
export async function listTools(app: App, caller: AccountCaller, orgSlug: string, page: PageRequest) {
  const before = uuidCursor(page.cursor);
  return app.db.asTenant(caller, async (tx) => {
    const { id } = await getOrganizationRow(tx, caller, orgSlug);
    const select = tx
      .selectFrom("tools")
      .selectAll()
      .where("organization_id", "=", id)
      .orderBy("id", "desc")
      .limit(page.limit + 1);
    const fetched = await (before === undefined ? select : select.where("id", "<", before)).execute();
    const { rows, nextCursor } = toPage(fetched, page.limit, (row) => row.id);
    return { tools: rows.map(toTool), next_cursor: nextCursor };
  });
}

export async function createTool(app: App, caller: AccountCaller, orgSlug: string, fields: CreateTool) {
  const definition: ToolDefinition =
    fields.kind === "http"
      ? { parameters: fields.parameters, http: fields.http, mcp: undefined }
      : { parameters: { type: "object", properties: {} }, http: undefined, mcp: fields.mcp };
  checkDefinition(definition);
  refuseHidden(definition);
  return refuseTakenName(() =>
    app.db.asTenant(caller, async (tx) => {
      const organization = await getOrganizationRow(tx, caller, orgSlug, "share");
      const id = app.newId();
      const row = await tx
        .insertInto("tools")
        .values({
          ...toColumns(app, id, definition),
          partner_id: caller.partnerId,
          account_id: caller.accountId,
          organization_id: organization.id,
          id,
          name: fields.name,
          description: fields.description,
          kind: fields.kind,
          enabled: fields.enabled,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await audit(app, tx, caller, "tool.created", row);
      return { success: true as const, tool: toTool(row) };
    }),
  );
}

export async function updateTool(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  toolId: string,
  fields: UpdateTool,
) {
  return refuseTakenName(() =>
    app.db.asTenant(caller, async (tx) => {
      const before = await getToolRow(tx, caller, orgSlug, toolId);
      const definition = mergeDefinition(readDefinition(app, before), fields, before.kind);
      checkDefinition(definition);
      refuseHidden(definition);
      const row = await tx
        .updateTable("tools")
        .set({
          ...toColumns(app, before.id, definition),
          name: fields.name,
          description: fields.description,
          enabled: fields.enabled,
          updated_at: sql`now()`,
        })
        .where("id", "=", before.id)
        .returningAll()
        .executeTakeFirstOrThrow();
      await audit(app, tx, caller, "tool.updated", row, { fields: Object.keys(fields) });
      return { success: true as const, tool: toTool(row) };
    }),
  );
}

/** While a workspace's assistant may call it, a tool is deleted only by force. */
export async function deleteTool(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  toolId: string,
  force: boolean,
) {
  return app.db.asTenant(caller, async (tx) => {
    const row = await getToolRow(tx, caller, orgSlug, toolId);
    const { count } = await tx
      .selectFrom("workspace_tools")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("tool_id", "=", toolId)
      .executeTakeFirstOrThrow();
    if (count > 0 && !force) {
      throw new Problem(
        "conflict",
        `This tool is attached to ${count === 1 ? "a workspace" : `${count} workspaces`}. Detach it first, or send force=true.`,
      );
    }
    await tx.deleteFrom("tools").where("id", "=", toolId).execute();
    await audit(app, tx, caller, "tool.deleted", row);
    return { success: true as const };
  });
}

/** The definition with its secrets in place, as a call needs it. */
export function readDefinition(app: App, row: ToolRow): ToolDefinition {
  const secrets = openSecrets(app, row);
  const whole = <Part>(shown: unknown, schema: z.ZodType<Part>): Part | undefined =>
    shown === null ? undefined : schema.parse(joinSecrets({ ...Object(shown) }, secrets));
  return {
    parameters: { ...Object(row.parameters) },
    http: whole(row.http, HttpTool),
    mcp: whole(row.mcp, McpTool),
  };
}

/** Seals what an older key has sealed; returns how many tools that were. For `rotate-secrets`. */
export async function resealTools(app: App): Promise<number> {
  return app.db.asSystem("superadmin", async (tx) => {
    const rows = await tx
      .selectFrom("tools")
      .selectAll()
      .where("secrets", "is not", null)
      .forUpdate()
      .execute();
    const old = rows.filter((row) => row.secrets?.split(".")[1] !== app.secrets.keyId);
    for (const row of old) {
      const secrets = sealSecrets(app, row.id, openSecrets(app, row));
      await tx.updateTable("tools").set({ secrets }).where("id", "=", row.id).execute();
    }
    return old.length;
  });
}

async function getToolRow(tx: Tx, caller: AccountCaller, orgSlug: string, toolId: string): Promise<ToolRow> {
  const organization = await getOrganizationRow(tx, caller, orgSlug);
  const row = await tx
    .selectFrom("tools")
    .selectAll()
    .where("organization_id", "=", organization.id)
    .where("id", "=", toolId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw notFound("tool");
  return row;
}

function mergeDefinition(before: ToolDefinition, fields: UpdateTool, kind: string): ToolDefinition {
  if (fields.mcp !== undefined && kind === "http") throw wrongKind("mcp", kind);
  if ((fields.http !== undefined || fields.parameters !== undefined) && kind === "mcp") {
    throw wrongKind(fields.http === undefined ? "parameters" : "http", kind);
  }
  return {
    parameters: fields.parameters ?? before.parameters,
    http: mergePart("http", HttpTool, before.http, fields.http),
    mcp: mergePart("mcp", McpTool, before.mcp, fields.mcp),
  };
}

function mergePart<Part extends HttpTool | McpTool>(
  name: "http" | "mcp",
  schema: z.ZodType<Part>,
  before: Part | undefined,
  sent: (NonNullable<UpdateTool["http"]> | NonNullable<UpdateTool["mcp"]>) | undefined,
): Part | undefined {
  if (before === undefined || sent === undefined) return before;
  const merged = { ...before, ...sent, headers: keepHidden(sent.headers ?? before.headers, before.headers) };
  const sentAuth = "auth" in sent ? sent.auth : undefined;
  const auth = sentAuth !== undefined && "auth" in before ? { auth: keepSecret(sentAuth, before.auth) } : {};
  const result = schema.safeParse({ ...merged, ...auth });
  if (result.success) {
    refuseRedirect(
      name,
      findRedirectedSecret(before, result.data, { headers: sent.headers, auth: sentAuth }),
    );
    return result.data;
  }
  const details = result.error.issues.map((issue) => ({
    path: ["body", name, ...issue.path.map(String)].join("."),
    message: issue.message.replace(/^Invalid input: /, ""),
  }));
  throw new Problem("invalid_request", `${details[0]?.path}: ${details[0]?.message}.`, { details });
}

function refuseRedirect(part: string, secret: string | undefined): void {
  if (secret === undefined) return;
  const path = `body.${part}.${secret}`;
  const message = "must be sent again, because the tool now speaks to another host";
  throw new Problem("invalid_request", `${path}: ${message}.`, { details: [{ path, message }] });
}

function wrongKind(field: string, kind: string): Problem {
  return new Problem("invalid_request", `body.${field}: does not belong to a tool of the kind "${kind}".`, {
    details: [{ path: `body.${field}`, message: `does not belong to a tool of the kind "${kind}"` }],
  });
}

function refuseHidden({ http, mcp }: ToolDefinition): void {
  for (const [part, value] of Object.entries({ http, mcp })) {
    const name = Object.entries(value?.headers ?? {}).find(([, text]) => text === HIDDEN)?.[0];
    if (name === undefined) continue;
    throw new Problem(
      "invalid_request",
      `body.${part}.headers.${name}: is not stored yet, so it cannot be kept.`,
      {
        details: [
          { path: `body.${part}.headers.${name}`, message: "is not stored yet, so it cannot be kept" },
        ],
      },
    );
  }
}

function toColumns(app: App, id: string, { parameters, http, mcp }: ToolDefinition) {
  const part = http ?? mcp;
  const split = part === undefined ? undefined : splitSecrets(part);
  const shown = (present: boolean) => (present ? sql`${JSON.stringify(split?.shown)}::json` : null);
  return {
    parameters: sql`${JSON.stringify(parameters)}::json`,
    http: shown(http !== undefined),
    mcp: shown(mcp !== undefined),
    secrets: split === undefined ? null : sealSecrets(app, id, split.secrets),
  };
}

function sealSecrets(app: App, toolId: string, secrets: ToolSecrets): string {
  return app.secrets.seal(JSON.stringify(secrets), purposeOf(toolId));
}

/** Written by {@link sealSecrets} only; the seal proves it. */
function openSecrets(app: App, row: ToolRow): ToolSecrets {
  return row.secrets === null ? {} : JSON.parse(app.secrets.open(row.secrets, purposeOf(row.id)));
}

function purposeOf(toolId: string): string {
  return `tool:${toolId}`;
}

async function refuseTakenName<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error, "tools_organization_id_name_key")) throw error;
    throw new Problem("conflict", "Another tool of this organization has this name.", {
      details: [{ path: "body.name", message: "is taken" }],
    });
  }
}

async function audit(
  app: App,
  tx: Tx,
  caller: AccountCaller,
  action: `tool.${string}`,
  row: ToolRow,
  details: Record<string, unknown> = {},
): Promise<void> {
  await recordAudit(app, tx, caller, {
    action,
    resourceType: "tool",
    resourceId: row.id,
    organizationId: row.organization_id,
    details,
  });
}

export function toTool(row: ToolRow): Tool {
  return Tool.parse({
    ...row,
    http: row.http ?? undefined,
    mcp: row.mcp ?? undefined,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  });
}

import { z } from "zod";
import { listAllowedOrigins } from "../accounts/accounts.service.ts";
import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { Problem } from "../http/problem.ts";
import { getWorkspaceRow, type WorkspaceRow } from "../workspaces/find.ts";
import { findLiveConnection } from "./connection.ts";
import { isUnfinished, retireUnfinished } from "./disconnect.ts";
import { PAGE_MODES } from "./onboard.schemas.ts";
import { newPageToken } from "./page-token.ts";
import { pagePath, publicUrl } from "./public-address.ts";

export const CreateConnectToken = z
  .strictObject({
    embed_origin: z.string().max(300).optional().meta({
      description: "The one origin whose page may frame ours: one of the account's `allowed_origins`.",
      example: "https://app.example.com",
    }),
    ttl_seconds: z.int().min(60).max(3_600).optional().meta({ description: "1,800 without it." }),
    mode: z.enum(PAGE_MODES).optional().meta({
      description:
        "`new`; `reauth`: the number that is connected already; `coexistence`: a number that stays in the WhatsApp Business app.",
    }),
    expected_phone: z
      .string()
      .regex(/^\+[1-9]\d{6,14}$/, "must be a number such as +4930123456")
      .optional()
      .meta({ description: "No other number is connected.", example: "+4930123456" }),
    allow_top_level: z.boolean().optional().meta({
      description:
        "Whether the page may also be opened on its own, in a tab; always so for an account without origins.",
    }),
  })
  .meta({ id: "CreateConnectToken" });

type Wanted = z.output<typeof CreateConnectToken>;

const TTL_SECONDS = 1_800;
const MINTS_A_MINUTE = 10;
const MINUTE_MS = 60_000;

/**
 * A link to the page that connects a number, in the name of the key that asks for it. Whoever holds it can connect a
 * number to this workspace and do nothing else. An earlier link of the workspace ends with it.
 */
export async function createConnectToken(app: App, caller: AccountCaller, slug: string, wanted: Wanted = {}) {
  const { token, hash } = newPageToken();
  const expiresAt = new Date(app.now().getTime() + (wanted.ttl_seconds ?? TTL_SECONDS) * 1_000);
  await app.db.asTenant(caller, async (tx) => {
    // One at a time for a workspace, so that there is one link and the limit holds.
    const workspace = await getWorkspaceRow(tx, caller, slug, "update");
    refuseUnconfigured(app);
    const embedding = chooseOrigin(await listAllowedOrigins(tx, caller.accountId), wanted);
    await refuseTooMany(app, tx, workspace);
    await refuseConnected(tx, workspace, wanted);
    await retireUnfinished(app, tx, workspace.id);
    await tx
      .insertInto("whatsapp_page_tokens")
      .values({
        ...ownerColumns(caller, workspace),
        ...embedding,
        hash,
        key_id: keyOf(caller),
        mode: wanted.mode ?? "new",
        expected_phone: wanted.expected_phone ?? null,
        expires_at: expiresAt,
        created_at: app.now(),
      })
      .execute();
    await recordAudit(app, tx, caller, {
      action: "whatsapp.connect_token_created",
      resourceType: "workspace",
      resourceId: workspace.id,
      organizationId: workspace.organization_id,
      workspaceId: workspace.id,
      details: { mode: wanted.mode ?? "new", embed_origin: embedding.embed_origin },
    });
  });
  return {
    success: true as const,
    token,
    expires_at: expiresAt.toISOString(),
    connect_url: `${publicUrl(app.config)}${pagePath(slug)}/connect-page?token=${token}`,
  };
}

export function refuseUnconfigured(app: App): void {
  if (app.messenger !== null) return;
  throw new Problem(
    "conflict",
    "WhatsApp is not configured on this installation: its operator has to set META_APP_ID and the settings beside it.",
  );
}

function chooseOrigin(origins: readonly string[], wanted: Wanted) {
  const { embed_origin: origin } = wanted;
  if (origin !== undefined && !origins.includes(origin))
    throw wrongOrigin("is not one of the account's allowed_origins");
  const [only, ...others] = origins;
  if (origin === undefined && others.length > 0)
    throw wrongOrigin("is needed: the account has several allowed_origins, and a link is for one of them");
  const chosen = origin ?? only ?? null;
  return { embed_origin: chosen, allow_top_level: chosen === null || (wanted.allow_top_level ?? false) };
}

function wrongOrigin(message: string): Problem {
  return new Problem("invalid_request", `body.embed_origin: ${message}.`, {
    details: [{ path: "body.embed_origin", message }],
  });
}

async function refuseTooMany(app: App, tx: Tx, workspace: WorkspaceRow): Promise<void> {
  const since = new Date(app.now().getTime() - MINUTE_MS);
  const { count } = await tx
    .selectFrom("whatsapp_page_tokens")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("workspace_id", "=", workspace.id)
    .where("created_at", ">", since)
    .executeTakeFirstOrThrow();
  if (count < MINTS_A_MINUTE) return;
  throw new Problem(
    "rate_limited",
    `A workspace gets at most ${MINTS_A_MINUTE} links a minute. Use the last one, or wait.`,
    { headers: { "retry-after": "60" } },
  );
}

/** What only waits for its customer to go on is not connected: a new link begins anew. */
async function refuseConnected(tx: Tx, workspace: WorkspaceRow, { mode }: Wanted): Promise<void> {
  const live = await findLiveConnection(tx, workspace.id);
  if (live === undefined || isUnfinished(live) || mode === "reauth") return;
  throw new Problem(
    "conflict",
    'This workspace has a WhatsApp number already. Disconnect it first, or send {"mode":"reauth"} to sign in to it again.',
    { details: [{ path: "body.mode", message: "must be reauth: the workspace is connected already" }] },
  );
}

/** Only keys reach operations of a workspace. */
function keyOf(caller: AccountCaller): string {
  if (caller.actor.id === null) throw new Error("a link is made in the name of a key");
  return caller.actor.id;
}

function ownerColumns(caller: AccountCaller, workspace: WorkspaceRow) {
  return {
    partner_id: caller.partnerId,
    account_id: caller.accountId,
    organization_id: workspace.organization_id,
    workspace_id: workspace.id,
  };
}

import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { notFound } from "../http/problem.ts";
import { getWorkspaceRow } from "../workspaces/find.ts";
import { findIntegration } from "./integration-row.ts";
import { issueTestCallToken } from "./relay/test-call-token.ts";

/** Where browsers call; see `relay/browser-line.ts`. */
export const TEST_CALL_PATH = "/voice/test-call";

/** Lets a browser call a workspace's assistant once, without a carrier. Nothing is written before it does. */
export async function createTestCall(app: App, caller: AccountCaller, slug: string) {
  const { partnerId, accountId } = caller;
  const owner = await app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    if ((await findIntegration(tx, workspace.id)) === undefined)
      throw notFound("voice integration of this workspace");
    return { partnerId, accountId, organizationId: workspace.organization_id, workspaceId: workspace.id };
  });
  const { token, expiresAt } = issueTestCallToken(app, owner);
  const base = app.config.publicUrl ?? `http://localhost:${app.config.port}`;
  return {
    success: true as const,
    token,
    url: `${base.replace(/^http/, "ws")}${TEST_CALL_PATH}`,
    expires_at: expiresAt.toISOString(),
  };
}

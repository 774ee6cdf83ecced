import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { insertAccount } from "./accounts/accounts.service.ts";
import type { App } from "./context.ts";
import type { AccountCaller } from "./http/caller.ts";
import { insertOrganization } from "./organizations/organizations.service.ts";
import { insertKey } from "./partners/keys.service.ts";
import { insertPartner } from "./partners/partners.service.ts";
import { insertWorkspace } from "./workspaces/workspaces.service.ts";

/** Any constant that no other advisory lock of ours uses. */
const BOOTSTRAP_LOCK = 0x626f6f74;

/**
 * On a database without partners: a demo partner with a key, account, organization and workspace, all in one
 * transaction, and `bootstrap.json` (mode 0600) that says how to use them. Processes that start together do it once.
 *
 * @returns the file, when it was written now
 */
export async function bootstrapDemo(app: App, baseUrl: string): Promise<string | undefined> {
  return app.db.asSystem("bootstrap", async (tx) => {
    await sql`select pg_advisory_xact_lock(${BOOTSTRAP_LOCK})`.execute(tx);
    const some = await tx.selectFrom("partners").select("id").limit(1).executeTakeFirst();
    if (some !== undefined) return undefined;

    const partner = await insertPartner(app, tx, "Demo partner");
    const system = {
      partnerId: partner.id,
      actor: { kind: "system", id: null },
      requestId: "bootstrap",
    } as const;
    const { key } = await insertKey(app, tx, system, { name: "Demo key" });
    const account = await insertAccount(app, tx, system, { name: "Acme" });
    const caller: AccountCaller = { ...system, accountId: account.id };
    const organization = await insertOrganization(app, tx, caller, { name: "Acme", slug: "acme" });
    await insertWorkspace(app, tx, caller, organization, { name: "Support", slug: "support" });

    // Before the commit: were it after, a crash in between would leave a key that nobody has seen.
    return writeOnce(join(app.config.dataDir, "bootstrap.json"), {
      partner_id: partner.id,
      api_key: key,
      account_id: account.id,
      org_slug: "acme",
      workspace_slug: "support",
      base_url: baseUrl,
    });
  });
}

async function writeOnce(file: string, content: object): Promise<string> {
  const unfinished = `${file}.new`;
  await writeFile(unfinished, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(unfinished, file);
  return file;
}

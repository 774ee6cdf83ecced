import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";

export interface Partner {
  id: string;
  name: string;
  created_at: string;
}

export async function createPartner(app: App, name: string): Promise<Partner> {
  return app.db.asSystem("superadmin", (tx) => insertPartner(app, tx, name));
}

export async function insertPartner(app: App, tx: Tx, name: string): Promise<Partner> {
  const row = await tx
    .insertInto("partners")
    .values({ id: app.newId(), name })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toPartner(row);
}

export async function listPartners(app: App): Promise<Partner[]> {
  return app.db.asSystem("superadmin", async (tx) => {
    const rows = await tx.selectFrom("partners").selectAll().orderBy("id", "desc").execute();
    return rows.map(toPartner);
  });
}

/** From its commit on the partner's events are recorded; that is never taken back, so that none falls between. */
export async function noteWebhooks(app: App, partnerId: string): Promise<void> {
  await app.db.asSystem("keys", (tx) =>
    tx
      .updateTable("partners")
      .set({ has_webhooks: true })
      .where("id", "=", partnerId)
      .where("has_webhooks", "=", false)
      .execute(),
  );
}

function toPartner(row: { id: string; name: string; created_at: Date }): Partner {
  return { id: row.id, name: row.name, created_at: row.created_at.toISOString() };
}

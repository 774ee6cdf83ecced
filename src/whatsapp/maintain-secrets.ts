import type { App } from "../context.ts";
import { openPin, openToken, sealPin, sealToken } from "./connection.ts";

/** Seals what an older key has sealed; returns how many connections that were. For `rotate-secrets`. */
export async function resealWhatsApp(app: App): Promise<number> {
  return app.db.asSystem("superadmin", async (tx) => {
    const rows = await tx
      .selectFrom("whatsapp_connections")
      .selectAll()
      .where((eb) => eb.or([eb("token", "is not", null), eb("pin", "is not", null)]))
      .forUpdate()
      .execute();
    const isOld = (sealed: string | null) => sealed !== null && sealed.split(".")[1] !== app.secrets.keyId;
    const old = rows.filter(({ token, pin }) => isOld(token) || isOld(pin));
    for (const row of old) {
      const pin = openPin(app, row);
      await tx
        .updateTable("whatsapp_connections")
        .set({
          token: row.token === null ? null : sealToken(app, row.id, openToken(app, row)),
          pin: pin === null ? null : sealPin(app, row.id, pin),
        })
        .where("id", "=", row.id)
        .execute();
    }
    return old.length;
  });
}

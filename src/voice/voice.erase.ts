import { eraseRows, placeOf } from "../jobs/erase-rows.ts";
import type { EraseStep } from "../jobs/erase-step.ts";
import { forgetAtEngine } from "./engine/engine.jobs.ts";

/** With their events these are many rows. */
const CALLS_AT_ONCE = 200;

/** Deprovisions assistants, so that their numbers are free, and removes the call log. */
export const eraseVoice: EraseStep = {
  name: "voice",
  async refuse(tx, target) {
    const live = await tx
      .selectFrom("calls")
      .select("id")
      .where(placeOf(target))
      .where("lease_until", "is not", null)
      .limit(1)
      .executeTakeFirst();
    return live === undefined ? undefined : "Somebody is on the phone with one of its assistants.";
  },
  async erase(app, target, signal) {
    await app.db.asSystem("erasure", async (tx) => {
      const gone = await tx.deleteFrom("voice_integrations").where(placeOf(target)).returningAll().execute();
      // Whatever their engine has of them goes by jobs, which outlive what is erased here.
      for (const row of gone) await forgetAtEngine(app, tx, row);
    });
    await eraseRows(app, "calls", target, CALLS_AT_ONCE, signal);
    await app.db.asSystem("erasure", (tx) =>
      tx.deleteFrom("voice_configurations").where(placeOf(target)).execute(),
    );
  },
};

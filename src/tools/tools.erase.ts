import { eraseRows, placeOf } from "../jobs/erase-rows.ts";
import type { EraseStep } from "../jobs/erase-step.ts";

const CALLS_AT_ONCE = 5_000;

export const eraseToolRows: EraseStep = {
  name: "tools",
  async erase(app, target, signal) {
    await eraseRows(app, "tool_calls", target, CALLS_AT_ONCE, signal);
    if (target.level === "workspace") return;
    await app.db.asSystem("erasure", (tx) => tx.deleteFrom("tools").where(placeOf(target)).execute());
  },
};

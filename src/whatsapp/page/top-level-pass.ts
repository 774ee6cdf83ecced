import { hash } from "node:crypto";
import type { App } from "../../context.ts";

/** Long enough to click a link, too short to send it to somebody. The page that offers the link renews it. */
const LIFE_MS = 5 * 60_000;

/**
 * Lets a link that belongs into a frame be opened in a tab of its own. Without one, whoever gets hold of a link could
 * send it around, and a stranger's number would land in the sender's workspace.
 */
export function sealTopLevelPass(app: App, token: string): string {
  return app.secrets.seal(String(app.now().getTime() + LIFE_MS), purposeOf(token));
}

export function isTopLevelPass(app: App, token: string, pass: string): boolean {
  try {
    return Number(app.secrets.open(pass, purposeOf(token))) > app.now().getTime();
  } catch {
    // Made up, or made for another link.
    return false;
  }
}

function purposeOf(token: string): string {
  return `whatsapp-top-level:${hash("sha256", token, "hex")}`;
}

import { z } from "zod";
import type { App } from "../../context.ts";
import type { CallOwner } from "../call-row.ts";

/** Between a click and the line lie seconds. */
const GOOD_FOR_MS = 2 * 60_000;
const PURPOSE = "test_call";

const Sealed = z.object({
  tokenId: z.uuid(),
  expiresAt: z.number(),
  owner: z.object({
    partnerId: z.string(),
    accountId: z.string(),
    organizationId: z.int(),
    workspaceId: z.int(),
  }),
});

/** Whose assistant a browser may call. */
export interface TestCallPass {
  /** Each is used once: the call that it opens bears its name. */
  tokenId: string;
  owner: CallOwner;
}

export function issueTestCallToken(app: App, owner: CallOwner): { token: string; expiresAt: Date } {
  const { partnerId, accountId, organizationId, workspaceId } = owner;
  const expiresAt = new Date(app.now().getTime() + GOOD_FOR_MS);
  const sealed: z.input<typeof Sealed> = {
    tokenId: app.newId(),
    expiresAt: expiresAt.getTime(),
    owner: { partnerId, accountId, organizationId, workspaceId },
  };
  return { token: app.secrets.seal(JSON.stringify(sealed), PURPOSE), expiresAt };
}

/** `null`: it is not ours, or too old. */
export function readTestCallToken(app: App, token: string): TestCallPass | null {
  try {
    const { tokenId, owner, expiresAt } = Sealed.parse(JSON.parse(app.secrets.open(token, PURPOSE)));
    return expiresAt < app.now().getTime() ? null : { tokenId, owner };
  } catch {
    return null;
  }
}

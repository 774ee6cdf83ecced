import { getAccount } from "../accounts/accounts.service.ts";
import type { App } from "../context.ts";
import type { Caller } from "../http/caller.ts";
import { Problem } from "../http/problem.ts";
import { createKey, type IssuedKey } from "../partners/keys.service.ts";
import { getWorkspace } from "../workspaces/workspaces.service.ts";

/** What a new key is narrowed to, by the names people use. */
export interface KeyRequest {
  name?: string | undefined;
  scopes?: readonly string[] | undefined;
  accountId?: string | undefined;
  /** Original slug; needs `accountId`, inside which slugs are unique. */
  workspaceSlug?: string | undefined;
  expiresAt?: Date | undefined;
}

/** Issues a key of the operator's partner, after looking up what it is narrowed to. */
export async function issueKey(app: App, operator: Caller, wanted: KeyRequest): Promise<IssuedKey> {
  const { accountId, workspaceSlug, ...rest } = wanted;
  if (accountId === undefined) {
    if (workspaceSlug === undefined) return createKey(app, operator, rest);
    throw new Problem(
      "invalid_request",
      "A workspace needs its account: slugs are unique inside an account only.",
    );
  }
  await getAccount(app, operator, accountId);
  const workspace =
    workspaceSlug === undefined
      ? undefined
      : (await getWorkspace(app, { ...operator, accountId }, workspaceSlug)).workspace;
  return createKey(app, operator, { ...rest, accountId, workspace });
}

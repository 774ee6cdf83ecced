import type { Caller, KeyGrant } from "./caller.ts";
import type { Operation } from "./operation.ts";
import { invalidApiKey, Problem } from "./problem.ts";

/** What the router asks the partners' and accounts' rooms. Answers come from memory on the hot path. */
export interface Access {
  /** `undefined`: no such key, or it is revoked or expired. */
  findKey(secret: string): Soon<KeyGrant | undefined>;
  /** `undefined`: this partner has no such account. */
  findAccount(partnerId: string, accountId: string): Soon<AccountStanding | undefined>;
}

export type AccountStanding = "active" | "suspended";

const BEARER = /^Bearer +(\S+) *$/i;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A value that memory has at once, or that must be asked for: the hot path makes no promise. */
export type Soon<T> = T | Promise<T>;

export function whenKnown<T, R>(value: Soon<T>, then: (value: T) => Soon<R>): Soon<R> {
  return value instanceof Promise ? value.then(then) : then(value);
}

/** Key: the first check of every request. */
export function identify(access: Access, authorization: string | undefined): Soon<KeyGrant> {
  const secret = BEARER.exec(authorization ?? "")?.[1];
  if (secret === undefined) throw invalidApiKey();
  return whenKnown(access.findKey(secret), (grant) => {
    if (grant === undefined) throw invalidApiKey();
    return grant;
  });
}

/** Account → scope: the next two, in the contract's order. */
export function authorize(
  access: Access,
  operation: Operation,
  grant: KeyGrant,
  header: string | string[] | undefined,
  requestId: string,
): Soon<Caller> {
  return operation.tenant === "superadmin"
    ? superadmin(grant, requestId)
    : partnerCaller(access, operation, grant, header, requestId);
}

function superadmin(grant: KeyGrant, requestId: string): Caller {
  if (grant.partnerId !== null) throw insufficient("This operation needs a superadmin's key.");
  return { partnerId: "", actor: { kind: "superadmin", id: grant.keyId }, requestId };
}

function partnerCaller(
  access: Access,
  operation: Operation,
  grant: KeyGrant,
  header: string | string[] | undefined,
  requestId: string,
): Soon<Caller> {
  const { partnerId } = grant;
  if (partnerId === null) throw insufficient("A superadmin's key reaches only /v1/admin operations.");
  const byKey = ["partner-or-account", "account-or-key"].includes(operation.tenant) ? grant.accountId : null;
  const named = header ?? byKey ?? undefined;
  return whenKnown(accountOf(access, operation, partnerId, named), (accountId) => {
    if (accountId !== undefined && grant.accountId !== null && grant.accountId !== accountId) {
      throw foreignAccount();
    }
    requireScope(operation, grant);
    return {
      partnerId,
      accountId: accountId ?? grant.accountId ?? undefined,
      workspaceId: grant.workspaceId ?? undefined,
      actor: { kind: "key", id: grant.keyId },
      requestId,
    };
  });
}

function accountOf(
  access: Access,
  operation: Operation,
  partnerId: string,
  header: string | string[] | undefined,
): Soon<string | undefined> {
  if (operation.tenant === "partner") return undefined;
  if (header === undefined && operation.tenant === "partner-or-account") return undefined;
  if (typeof header !== "string" || !UUID.test(header)) {
    throw new Problem("account_required", "Send the account's UUID in the X-Account-Id header.", {
      details: [
        { path: "headers.x-account-id", message: header === undefined ? "is missing" : "is not a UUID" },
      ],
    });
  }
  const accountId = header.toLowerCase();
  return whenKnown(access.findAccount(partnerId, accountId), (standing) => {
    if (standing === undefined) throw foreignAccount();
    if (standing === "suspended") {
      throw new Problem("account_suspended", "This account is suspended. Resume it to use it again.");
    }
    return accountId;
  });
}

function requireScope(operation: Operation, grant: KeyGrant): void {
  if (operation.scope !== null && grant.scopes !== null && !grant.scopes.has(operation.scope)) {
    throw insufficient(`This API key needs the scope "${operation.scope}".`);
  }
  const isWorkspaces = ["workspace", "account-or-key"].includes(operation.tenant);
  if (grant.workspaceId !== null && !isWorkspaces && operation.scope !== null) {
    throw insufficient("This API key is limited to the operations of one workspace.");
  }
  if (grant.accountId !== null && operation.tenant === "partner" && operation.scope?.endsWith(":write")) {
    throw insufficient("This API key is limited to one account.");
  }
}

function insufficient(message: string): Problem {
  return new Problem("insufficient_scope", message);
}

function foreignAccount(): Problem {
  return new Problem("account_forbidden", "This account does not exist or belongs to a different company.");
}

import type { App } from "../context.ts";
import type { AccountStanding } from "../http/authenticate.ts";

/** Tells whether an account is this partner's and may be used; from memory while `Signals.isFresh()`. */
export interface AccountDirectory {
  find(
    partnerId: string,
    accountId: string,
  ): AccountStanding | undefined | Promise<AccountStanding | undefined>;
}

const REMEMBERED_MAX = 100_000;

export function createAccountDirectory(app: App): AccountDirectory {
  const remembered = new Map<string, AccountStanding>();
  // An answer that was read before a suspension must not be remembered after it.
  let generation = 0;
  app.signals.on("access", () => {
    generation += 1;
    remembered.clear();
  });

  async function ask(
    partnerId: string,
    accountId: string,
    index: string,
  ): Promise<AccountStanding | undefined> {
    const asked = generation;
    const standing = await readStanding(app, partnerId, accountId);
    // Only what exists is remembered: an account that is made later must be found at once.
    if (standing !== undefined && asked === generation) {
      if (remembered.size >= REMEMBERED_MAX) remembered.clear();
      remembered.set(index, standing);
    }
    return standing;
  }

  return {
    find(partnerId, accountId) {
      const index = `${partnerId} ${accountId}`;
      const known = app.signals.isFresh() ? remembered.get(index) : undefined;
      return known ?? ask(partnerId, accountId, index);
    },
  };
}

async function readStanding(
  app: App,
  partnerId: string,
  accountId: string,
): Promise<AccountStanding | undefined> {
  const [row] = await app.db.readAsTenant<{ suspended_at: Date | null }>({ partnerId, accountId }, (db) =>
    db
      .selectFrom("accounts")
      .select("suspended_at")
      .where("id", "=", accountId)
      .where("partner_id", "=", partnerId)
      .where("erasing_at", "is", null),
  );
  if (row === undefined) return undefined;
  return row.suspended_at === null ? "active" : "suspended";
}

import type { BusinessAccount, MessengerErrorKind, MessengerNumber } from "../ports/messenger.ts";
import { asMessengerError, type ConnectionRow, openToken, selectLive } from "./connection.ts";
import { isUnfinished } from "./disconnect.ts";
import { e164Of } from "./number-facts.ts";
import { OnboardStop, type Stop, stopOf } from "./onboard-answer.ts";
import { type Attempt, tenantOf, writeConnection } from "./onboard-attempt.ts";

/** A number that the customer's token was seen to reach. */
export interface Choice {
  account: BusinessAccount;
  number: MessengerNumber;
}

/** Accounts that are looked at; who shares more has to choose one in the popup. */
const ACCOUNTS_MAX = 10;
/** For all of them together; less than the lease. */
const LOOKING_MS = 40_000;
/** What Meta says of an account that this token does not reach. */
const OUT_OF_REACH: readonly MessengerErrorKind[] = ["asset", "permission", "rejected"];

/** The number to connect. What the browser says is a hint; what counts is what the token reaches. */
export async function verifyAssets(
  attempt: Attempt,
  { connection, wabaIds }: { connection: ConnectionRow; wabaIds: readonly string[] },
): Promise<Choice> {
  const hinted = attempt.body.waba_id;
  const ids = [...new Set([...(hinted === undefined ? [] : [hinted]), ...wabaIds])].slice(0, ACCOUNTS_MAX);
  const token = openToken(attempt.app, connection);
  const signal = AbortSignal.timeout(LOOKING_MS);
  const choices: Choice[] = [];
  let isReached = false;
  for (const id of ids) {
    const found = await reach(attempt, token, id, signal);
    if (found === undefined) continue;
    isReached = true;
    choices.push(...found);
    // It was chosen in the popup just now: what else was shared, today or earlier, is not meant.
    if (id === hinted && found.length > 0) break;
  }
  if (!isReached) {
    throw stopAt(
      "asset_not_accessible",
      "No WhatsApp account was shared. Sign in once more and choose one.",
      {
        needs: "new_code",
      },
    );
  }
  await writeConnection(attempt, connection.id, { step: "verified" });
  return choose(attempt, choices);
}

/** The numbers of an account; undefined: it is not there for this token. */
async function reach(
  { messenger }: Attempt,
  token: string,
  wabaId: string,
  signal: AbortSignal,
): Promise<Choice[] | undefined> {
  try {
    const account = await messenger.getBusinessAccount(token, wabaId, signal);
    const numbers = await messenger.listNumbers(token, wabaId, signal);
    return numbers.map((number) => ({ account, number }));
  } catch (error) {
    const refusal = asMessengerError(error);
    if (refusal === undefined) throw error;
    if (OUT_OF_REACH.includes(refusal.kind)) return undefined;
    throw new OnboardStop(stopOf("verify_assets", refusal));
  }
}

async function choose(attempt: Attempt, choices: readonly Choice[]): Promise<Choice> {
  const { body, claim } = attempt;
  const [only, ...others] = choices;
  if (only === undefined) {
    throw stopAt("no_number", "The account has no number yet. Sign in once more and add one.", {
      needs: "number",
      status: "needs_number",
      isExpected: true,
    });
  }
  const connected = await findConnectedNumber(attempt);
  if (connected !== undefined) return chooseConnected(choices, connected, body.phone_number_id);
  if (claim.row.expected_phone !== null) return chooseExpected(choices, claim.row.expected_phone);
  if (body.phone_number_id !== undefined) {
    const hinted = choices.find(({ number }) => number.id === body.phone_number_id);
    if (hinted !== undefined) return hinted;
    throw stopAt(
      "number_not_accessible",
      "That number is not among those of the account. Choose one of them.",
      {
        ...oneOf(choices),
      },
    );
  }
  if (others.length === 0) return only;
  throw stopAt("several_numbers", "The account has several numbers. Choose one.", {
    ...oneOf(choices),
    isExpected: true,
  });
}

/** Signed in to anew; the browser may name no other. */
function chooseConnected(choices: readonly Choice[], connected: string, hinted = connected): Choice {
  const same = choices.find(({ number }) => number.id === connected);
  if (same !== undefined && hinted === connected) return same;
  const message = "The workspace is connected to another number: choose that one, or disconnect it first.";
  throw stopAt("number_mismatch", message, { needs: "number" });
}

function chooseExpected(choices: readonly Choice[], expected: string): Choice {
  const match = choices.find(({ number }) => e164Of(number) === expected);
  if (match !== undefined) return match;
  const message = `This link is for ${expected}. Sign in once more and choose that number.`;
  throw stopAt("unexpected_number", message, { needs: "number" });
}

/** The number that the workspace has already; one that was only reserved may still be changed for another. */
async function findConnectedNumber(attempt: Attempt): Promise<string | undefined> {
  const { app, claim } = attempt;
  const live = await app.db.asTenant(tenantOf(attempt), (tx) =>
    selectLive(tx, claim.row.workspace_id).where("phone_number_id", "is not", null).executeTakeFirst(),
  );
  return live === undefined || isUnfinished(live) ? undefined : (live.phone_number_id ?? undefined);
}

function oneOf(choices: readonly Choice[]): Pick<Stop, "needs" | "numbers"> {
  return {
    needs: "choose_number",
    numbers: choices.map(({ number }) => ({
      phone_number_id: number.id,
      display_phone_number: number.displayPhoneNumber,
      verified_name: number.verifiedName,
    })),
  };
}

function stopAt(code: string, message: string, facts: Omit<Stop, "step" | "code" | "message">): OnboardStop {
  return new OnboardStop({ step: "verify_assets", code, message, ...facts });
}

import type { App } from "../context.ts";
import { ownerColumns } from "../conversations/conversation.ts";
import type { MessengerError } from "../ports/messenger.ts";
import { type ConnectionRow, OVER, openToken, sealToken } from "./connection.ts";
import { OnboardStop, type Stop } from "./onboard-answer.ts";
import { type Attempt, ask, tenantOf, writeConnection } from "./onboard-attempt.ts";
import { holdPageToken, Superseded } from "./page-token-claim.ts";

/** A signup that was begun can be gone on with for so long. */
const RESUME_MS = 24 * 3_600_000;

/** The connection with the customer's token: the one that is there, or that which the code stands for. */
export async function ensureToken(attempt: Attempt): Promise<ConnectionRow> {
  const { code, row } = attempt.claim;
  if (code !== null) return exchange(attempt, code);
  const found = await attempt.app.db.asTenant(tenantOf(attempt), (tx) =>
    tx
      .selectFrom("whatsapp_connections")
      .selectAll()
      .where("id", "=", row.connection_id)
      .where("status", "not in", OVER)
      .executeTakeFirst(),
  );
  if (found === undefined) throw new Superseded("the connection was ended meanwhile");
  return found;
}

/**
 * Once for each code: it is good for 30 seconds and one use, and after a time-out nobody knows whether it was used.
 * The token is sealed and stored before anything else is done with it.
 */
async function exchange(attempt: Attempt, code: string): Promise<ConnectionRow> {
  const { app, body } = attempt;
  const token = await ask(
    attempt,
    "exchange_code",
    (messenger, signal) => messenger.exchangeCode(code, body.redirect_uri ?? null, signal),
    explainExchange,
  );
  const expiresAt = token.expiresInSeconds === null ? null : secondsFromNow(app, token.expiresInSeconds);
  const known = attempt.claim.row.connection_id;
  return known === null
    ? startConnection(attempt, token.accessToken, expiresAt)
    : // The token that was here was of no use: this one takes its place, and the rest is looked at anew.
      writeConnection(attempt, known, {
        token: sealToken(app, known, token.accessToken),
        token_expires_at: expiresAt,
        step: "exchanged",
      });
}

async function startConnection(
  attempt: Attempt,
  token: string,
  expiresAt: Date | null,
): Promise<ConnectionRow> {
  const { app, claim } = attempt;
  const id = app.newId();
  return app.db.asTenant(tenantOf(attempt), async (tx) => {
    await holdPageToken(app, tx, claim);
    const row = await tx
      .insertInto("whatsapp_connections")
      .values({
        ...ownerColumns({
          partnerId: claim.row.partner_id,
          accountId: claim.row.account_id,
          organizationId: claim.row.organization_id,
          workspaceId: claim.row.workspace_id,
        }),
        id,
        status: "connecting",
        step: "exchanged",
        attempt: claim.attempt,
        token: sealToken(app, id, token),
        token_expires_at: expiresAt,
        created_at: app.now(),
        updated_at: app.now(),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    await holdPageToken(app, tx, claim, {
      connection_id: id,
      resume_until: new Date(app.now().getTime() + RESUME_MS),
    });
    return row;
  });
}

function explainExchange(cause: MessengerError): Stop {
  const expired = cause.kind === "code_used";
  return {
    step: "exchange_code",
    code: expired ? "code_expired" : "exchange_failed",
    message: expired
      ? "The sign-in took too long to arrive. Sign in once more."
      : "Meta did not accept the sign-in. Sign in once more.",
    needs: "new_code",
    cause,
  };
}

/** Whose the token is, as Meta says it, and which accounts it may reach, newest first. */
export async function inspectToken(
  attempt: Attempt,
  connection: ConnectionRow,
): Promise<{ connection: ConnectionRow; wabaIds: readonly string[] }> {
  const { app } = attempt;
  const facts = await ask(attempt, "inspect_token", (messenger, signal) =>
    messenger.inspectToken(openToken(app, connection), signal),
  );
  if (!facts.isValid || facts.appId !== app.config.meta?.appId) {
    throw new OnboardStop({
      step: "inspect_token",
      code: "token_foreign",
      message: "This sign-in was not made for this app. Sign in once more.",
      needs: "new_code",
    });
  }
  const expiresAt = facts.expiresAt ?? connection.token_expires_at;
  const inspected = await writeConnection(attempt, connection.id, {
    step: "inspected",
    token_expires_at: expiresAt,
  });
  return { connection: inspected, wabaIds: facts.wabaIds };
}

function secondsFromNow(app: App, seconds: number): Date {
  return new Date(app.now().getTime() + seconds * 1_000);
}

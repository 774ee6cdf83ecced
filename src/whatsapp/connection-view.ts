import { recordAudit } from "../audit/record.ts";
import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import type { AccountCaller } from "../http/caller.ts";
import { notFound } from "../http/problem.ts";
import { getWorkspaceRow } from "../workspaces/find.ts";
import { asLastError, type ConnectionRow, findLiveConnection, openPin } from "./connection.ts";
import type { WhatsApp } from "./whatsapp.schemas.ts";
import type { ConnectionStatus } from "./whatsapp.tables.ts";

/** How the workspace stands with WhatsApp, and what to do next; the last connection where none is live. */
export async function getWhatsApp(
  app: App,
  caller: AccountCaller,
  slug: string,
): Promise<{ whatsapp: WhatsApp }> {
  return app.db.asTenant(caller, async (tx) => {
    const { id } = await getWorkspaceRow(tx, caller, slug);
    const row = (await findLiveConnection(tx, id)) ?? (await findLast(tx, id));
    return { whatsapp: row === undefined ? NOT_CONNECTED : toWhatsApp(row) };
  });
}

/**
 * The PIN that protects the number at Meta. Its customer needs it to take the number elsewhere, also after it was
 * disconnected here: nobody may be locked out of a number of their own. Each time it is shown, the trail says so.
 */
export async function revealPin(app: App, caller: AccountCaller, slug: string) {
  return app.db.asTenant(caller, async (tx) => {
    const workspace = await getWorkspaceRow(tx, caller, slug);
    const row = await tx
      .selectFrom("whatsapp_connections")
      .selectAll()
      .where("workspace_id", "=", workspace.id)
      .where("pin", "is not", null)
      .where("is_coexistence", "=", false)
      .where("step", "in", ["registered", "finished"])
      .orderBy("created_at", "desc")
      .limit(1)
      .executeTakeFirst();
    const pin = row === undefined ? null : openPin(app, row);
    if (row === undefined || pin === null) throw notFound("PIN");
    await recordAudit(app, tx, caller, {
      action: "whatsapp.pin_revealed",
      resourceType: "whatsapp_connection",
      resourceId: row.id,
      organizationId: workspace.organization_id,
      workspaceId: workspace.id,
    });
    return { success: true as const, pin, number: row.phone };
  });
}

async function findLast(tx: Tx, workspaceId: number): Promise<ConnectionRow | undefined> {
  return tx
    .selectFrom("whatsapp_connections")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .orderBy("created_at", "desc")
    .limit(1)
    .executeTakeFirst();
}

type NextStep = WhatsApp["next_step"];

const CONNECT: NextStep = {
  what: "connect",
  message: "Create a connect token and show its page to the customer.",
};

const NEXT_STEP: Readonly<Record<ConnectionStatus, NextStep>> = {
  connecting: { what: "continue", message: "The customer goes on in the page that connects." },
  needs_number: {
    what: "add_number",
    message: "The account has no number: the customer signs in once more in the page and adds one.",
  },
  needs_pin: {
    what: "enter_pin",
    message: "The number has a two-step PIN of its own: the customer enters it in the page.",
  },
  needs_verification: {
    what: "verify_number",
    message: "The customer asks for a code by SMS or call in the page, and enters it there.",
  },
  pending_name_review: {
    what: "wait",
    message: "Meta reviews the display name. The number is registered by itself when that is done.",
  },
  needs_register: {
    what: "try_again",
    message:
      'Meta does not take the number yet. Create a connect token with {"mode":"reauth"} later and try again.',
  },
  needs_payment: {
    what: "add_payment",
    message: "The customer adds a payment method in WhatsApp Manager.",
  },
  blocked: { what: "ask_meta", message: "Meta does not let the account send: WhatsApp Manager says why." },
  active: { what: "none", message: "Messages are received and answered." },
  reauth_required: {
    what: "sign_in_again",
    message: 'Create a connect token with {"mode":"reauth"} and show its page to the customer.',
  },
  disconnecting: { what: "wait", message: "It is over already; Meta is being told." },
  disconnected: CONNECT,
};

const NOT_CONNECTED: WhatsApp = {
  status: "not_connected",
  status_reason: null,
  next_step: CONNECT,
  number: null,
  display_phone_number: null,
  name: null,
  name_status: null,
  quality: null,
  throughput: null,
  connection_id: null,
  phone_number_id: null,
  waba_id: null,
  is_coexistence: false,
  has_pin: false,
  token_expires_at: null,
  last_error: null,
  connected_at: null,
  disconnected_at: null,
};

function toWhatsApp(row: ConnectionRow): WhatsApp {
  return {
    status: row.status,
    status_reason: row.status_reason,
    next_step: NEXT_STEP[row.status],
    number: row.phone,
    display_phone_number: row.display_phone_number,
    name: row.verified_name,
    name_status: row.name_status,
    quality: row.quality_rating,
    throughput: row.throughput,
    connection_id: row.id,
    phone_number_id: row.phone_number_id,
    waba_id: row.waba_id,
    is_coexistence: row.is_coexistence,
    has_pin: row.pin !== null && !row.is_coexistence && ["registered", "finished"].includes(row.step),
    token_expires_at: row.token_expires_at?.toISOString() ?? null,
    last_error: asLastError(row.last_error),
    connected_at: row.connected_at?.toISOString() ?? null,
    disconnected_at: row.disconnected_at?.toISOString() ?? null,
  };
}

import type { App } from "../context.ts";
import type { Tx } from "../db/database.ts";
import { oneAtATime } from "../db/one-at-a-time.ts";
import { applyAccountUpdate } from "./account-updates.ts";
import { done, type InboxRow, type Settled, settleIn, takeIn, takeOne } from "./inbox-claim.ts";
import { applyStatuses } from "./statuses.ts";
import type { InboxKind } from "./whatsapp.tables.ts";

export interface WhatsAppInboxWorker {
  /** Takes nothing more, and waits for what is under way. */
  stop(): Promise<void>;
}

/** Everything but what people said, which is answered elsewhere. */
const KINDS: readonly InboxKind[] = ["status", "account", "number", "template", "history", "other"];
const TAKEN_MAX = 500;
const POLL_MS = 1_000;
/** Nobody waits for a status: some of them together cost little more than one. */
const GATHER_MS = 200;
const AGAIN_FIRST_MS = 2_000;
const AGAIN_MAX_MS = 600_000;
const ATTEMPTS_MAX = 10;

/** Works on what Meta says of our messages and of the customers' accounts, until stopped. */
export function startWhatsAppInbox(app: App): WhatsAppInboxWorker {
  const stopping = new AbortController();
  const turns = oneAtATime(() => workOff(app, stopping.signal), stopping.signal, { pollMs: POLL_MS });
  let gathering: NodeJS.Timeout | undefined;
  app.signals.on("whatsapp", () => {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      turns.ask();
    }, GATHER_MS);
  });
  return {
    async stop() {
      stopping.abort();
      clearTimeout(gathering);
      await turns.settled();
    },
  };
}

async function workOff(app: App, stopping: AbortSignal): Promise<void> {
  try {
    let taken = TAKEN_MAX;
    while (taken === TAKEN_MAX && !stopping.aborted) taken = await workTogether(app);
  } catch (error) {
    app.log.error({ error }, "what Meta sent could not be worked on; it is tried again");
  }
}

/** Taking, working and settling are one transaction, which no network is part of. Returns how many were taken. */
async function workTogether(app: App): Promise<number> {
  let taken: readonly InboxRow[] = [];
  try {
    await app.db.asSystem(
      "whatsapp",
      async (tx) => {
        taken = await takeIn(tx, KINDS, TAKEN_MAX);
        if (taken.length > 0) await settleIn(tx, await workOn(app, tx, taken));
      },
      "background",
    );
  } catch (error) {
    if (taken.length === 0) throw error;
    // One of them, and nobody knows which: the others are not to wait for it.
    for (const row of taken) await workAlone(app, row);
  }
  return taken.length;
}

async function workAlone(app: App, { id }: InboxRow): Promise<void> {
  try {
    await app.db.asSystem(
      "whatsapp",
      async (tx) => {
        const row = await takeOne(tx, id);
        if (row !== undefined) await settleIn(tx, await workOn(app, tx, [row]));
      },
      "background",
    );
  } catch (error) {
    app.log.error({ error, inboxId: id }, "something that Meta sent could not be worked on");
    await app.db.asSystem("whatsapp", (tx) => putOff(tx, id), "background");
  }
}

async function workOn(app: App, tx: Tx, rows: readonly InboxRow[]): Promise<Settled[]> {
  const settled = await applyStatuses(
    app,
    tx,
    rows.filter(({ kind }) => kind === "status"),
  );
  for (const row of rows.filter(({ kind }) => kind !== "status")) {
    await applyAccountUpdate(app, tx, row);
    settled.push(done(row));
  }
  return settled;
}

/** 2, 4, 8 … s up to ten minutes, and not for ever. */
async function putOff(tx: Tx, id: number): Promise<void> {
  const row = await takeOne(tx, id);
  if (row === undefined) return;
  const state = row.attempts + 1 >= ATTEMPTS_MAX ? "failed" : "waiting";
  const againInMs = Math.min(AGAIN_MAX_MS, AGAIN_FIRST_MS * 2 ** row.attempts);
  await settleIn(tx, [{ id, state, againInMs, note: "internal" }]);
}

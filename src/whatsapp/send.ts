import { createAccountDirectory } from "../accounts/account-directory.ts";
import type { App } from "../context.ts";
import { oneAtATime } from "../db/one-at-a-time.ts";
import type { Messenger } from "../ports/messenger.ts";
import { type ClaimedMessage, claimMessagesIn, settleUnknownIn } from "./send-claim.ts";
import { createSendGate, type SendGate } from "./send-gate.ts";
import { type Sending, sendMessage } from "./send-message.ts";

const SLOTS = 64;
const POLL_MS = 1_000;
/** Between two looks: places that come free together are filled together. */
const GAP_MS = 50;
/** For a status that tells whether a message arrived whose sending ended without an answer. */
const GRACE_MS = 10_000;

/** Sends what the outbox holds, until stopped. */
export function startSending(
  app: App,
  messenger: Messenger,
  graceMs: number = GRACE_MS,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const gate = createSendGate(() => performance.now());
  const sending: Sending = { messenger, gate, directory: createAccountDirectory(app), graceMs };
  const running = new Map<Promise<void>, ClaimedMessage>();
  const turns = oneAtATime(
    async () => {
      for (const message of await next(app, gate, SLOTS - running.size, [...running.values()]))
        start(message);
    },
    stopping.signal,
    { pollMs: POLL_MS, gapMs: GAP_MS },
  );

  function start(message: ClaimedMessage): void {
    const work = sendMessage(app, sending, message)
      .catch((error: unknown) => {
        app.log.error(
          { error, messageId: message.id },
          "a WhatsApp message's end could not be written; its lease will run out",
        );
      })
      .finally(() => {
        running.delete(work);
        turns.ask();
      });
    running.set(work, message);
  }

  app.signals.on("whatsapp", turns.ask);
  return {
    async stop() {
      stopping.abort();
      await turns.settled();
      // What Meta has been asked for is waited for: only its answer tells whether the message went out.
      await Promise.all(running.keys());
    },
  };
}

async function next(
  app: App,
  gate: SendGate,
  free: number,
  running: readonly ClaimedMessage[],
): Promise<ClaimedMessage[]> {
  if (free <= 0) return [];
  const counts = new Map<string, number>();
  for (const { phone_number_id: id } of running) counts.set(id, (counts.get(id) ?? 0) + 1);
  try {
    return await app.db.asSystem(
      "whatsapp",
      async (tx) => {
        await settleUnknownIn(tx);
        return claimMessagesIn(tx, free, counts, gate.held());
      },
      "background",
    );
  } catch (error) {
    app.log.error({ error }, "no outgoing WhatsApp message could be claimed");
    return [];
  }
}

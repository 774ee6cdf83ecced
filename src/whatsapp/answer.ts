import { createAccountDirectory } from "../accounts/account-directory.ts";
import type { App } from "../context.ts";
import { oneAtATime } from "../db/one-at-a-time.ts";
import {
  type Claim,
  claimIn,
  type Debounce,
  giveBack,
  giveUp,
  LostClaim,
  putOff,
  renew,
} from "./answer-claim.ts";
import { ANSWER_ATTEMPTS, answerPerson } from "./answer-person.ts";
import { startSending } from "./send.ts";

export interface WhatsAppAnswers {
  /** Takes nothing more, gives back what is under way, and waits for that. */
  stop(): Promise<void>;
}

/** People who are answered at once in a process; nearly all of the time they wait for a model. */
const SLOTS = 48;
const TICK_MS = 200;
/** Ticks between two looks while nothing is known to wait. */
const IDLE_TICKS = 5;
/** Between two looks: places that come free together are filled together, since a look at a long backlog costs much. */
const GAP_MS = 100;
const HEARTBEAT_MS = 10_000;
const DEBOUNCE: Debounce = { quietMs: 2_000, maxMs: 8_000 };
const AGAIN: Again = { firstMs: 2_000, suspendedMs: 15_000 };
const AGAIN_MAX_MS = 60_000;
const OLD_MS = 3_600_000;
/** What cannot even be put aside as unanswered is given up at last. */
const ATTEMPTS_MAX = ANSWER_ATTEMPTS + 6;

/** When what could not be answered is tried again. */
interface Again {
  /** After the first failure; then twice as long, and so on. */
  firstMs: number;
  /** A suspended account's messages are kept, and looked at again this often. */
  suspendedMs: number;
}

/** Answers what people write on WhatsApp, and sends what is in the outbox, until stopped. */
export function startWhatsAppAnswers(
  app: App,
  options: { debounce?: Debounce; again?: Again; sendingGraceMs?: number } = {},
): WhatsAppAnswers {
  const { messenger } = app;
  if (messenger === null) return { stop: async () => undefined };
  const { debounce = DEBOUNCE, again = AGAIN } = options;
  const stopping = new AbortController();
  const directory = createAccountDirectory(app);
  const running = new Map<Promise<void>, Claim>();
  const turns = oneAtATime(
    async () => {
      for (const claim of await next(app, SLOTS - running.size, [...running.values()], debounce))
        start(claim);
    },
    stopping.signal,
    { gapMs: GAP_MS },
  );

  const answer = async (claim: Claim, signal: AbortSignal): Promise<void> => {
    const { partner_id, account_id } = claim.first;
    const isActive = (await directory.find(partner_id, account_id)) === "active";
    // Resumed soon, they are still worth an answer; later, they are kept without one.
    if (!isActive && !isOld(app, claim)) await giveBack(app, claim, again.suspendedMs);
    else await app.db.inBackground(() => answerPerson(app, messenger, claim, !isActive, signal));
  };

  function start(claim: Claim): void {
    const work = answerOne(app, claim, stopping.signal, answer)
      .catch((error: unknown) => settleFailure(app, claim, error, stopping.signal.aborted, again))
      .catch((error: unknown) => {
        app.log.warn({ error }, "a WhatsApp message could not be put off; its lease will run out");
      })
      .finally(() => {
        running.delete(work);
        turns.ask();
      });
    running.set(work, claim);
  }

  const clock = startClock(app, debounce, turns.ask);
  const sending = startSending(app, messenger, options.sendingGraceMs);
  return {
    async stop() {
      clock.stop();
      stopping.abort();
      await turns.settled();
      await Promise.all(running.keys());
      await sending.stop();
    },
  };
}

/** What was written a moment ago is due when its writer has paused: for that long it is looked for more often. */
function startClock(app: App, { maxMs }: Debounce, ask: () => void): { stop(): void } {
  let wakeUntilMs = 0;
  let ticks = 0;
  app.signals.on("whatsapp", () => {
    wakeUntilMs = performance.now() + maxMs + TICK_MS;
    ask();
  });
  const timer = setInterval(() => {
    ticks += 1;
    if (performance.now() < wakeUntilMs || ticks % IDLE_TICKS === 0) ask();
  }, TICK_MS);
  ask();
  return { stop: () => clearInterval(timer) };
}

async function next(app: App, free: number, running: readonly Claim[], debounce: Debounce): Promise<Claim[]> {
  if (free <= 0) return [];
  const counts = new Map<string, number>();
  for (const { first } of running)
    counts.set(first.phone_number_id, (counts.get(first.phone_number_id) ?? 0) + 1);
  try {
    return await app.db.asSystem("whatsapp", (tx) => claimIn(tx, free, counts, debounce), "background");
  } catch (error) {
    app.log.error({ error }, "no WhatsApp message could be claimed");
    return [];
  }
}

/** Keeps the lease while it is worked on. */
async function answerOne(
  app: App,
  claim: Claim,
  stopping: AbortSignal,
  answer: (claim: Claim, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const lost = new AbortController();
  const heartbeat = setInterval(() => {
    renew(app, claim).then(
      (isHeld) => isHeld || lost.abort(new LostClaim("the lease ran out")),
      (error: unknown) => app.log.warn({ error }, "a WhatsApp message's lease could not be renewed"),
    );
  }, HEARTBEAT_MS);
  try {
    await answer(claim, AbortSignal.any([stopping, lost.signal]));
  } finally {
    clearInterval(heartbeat);
  }
}

function isOld(app: App, { rows }: Claim): boolean {
  const newest = Math.max(...rows.map(({ received_at }) => received_at.getTime()));
  return newest < app.now().getTime() - OLD_MS;
}

async function settleFailure(
  app: App,
  claim: Claim,
  error: unknown,
  isStopping: boolean,
  { firstMs }: Again,
): Promise<void> {
  const { partner_id, account_id, workspace_id, attempts, id } = claim.first;
  const tenant = { partnerId: partner_id, accountId: account_id, workspaceId: workspace_id, inboxId: id };
  if (isStopping) return giveBack(app, claim, 0);
  if (error instanceof LostClaim) {
    app.log.info(tenant, "somebody else answers these WhatsApp messages");
    return;
  }
  app.log.error({ error, attempt: attempts, ...tenant }, "a WhatsApp message was not answered");
  const message = error instanceof Error ? error.name : "unknown";
  if (attempts >= ATTEMPTS_MAX) return giveUp(app, claim, message);
  await putOff(app, claim, Math.min(AGAIN_MAX_MS, firstMs * 2 ** (attempts - 1)), message);
}

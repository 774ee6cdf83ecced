import { type SimRead, type SimSent, takeMessage } from "./graph-messages.ts";
import type { MetaAnswer, MetaRequest } from "./meta-server.ts";
import type { MetaWorld } from "./meta-world.ts";
import type { PayloadMaker } from "./webhook-payloads.ts";
import { sendWebhook } from "./webhook-sender.ts";

/** How Meta reports on what was sent. */
export interface StatusReports {
  serverUrl: string;
  /** In this order, whatever it is; `["sent", "delivered", "read"]` is the right one. */
  statuses: string[];
  /** Each so often. */
  times?: number;
  /** Reported while the sender still waits for the answer. */
  before?: boolean;
}

/** What became of everything posted to `/{number}/messages`. */
export interface MessageLog {
  /** Accepted messages. */
  sent: SimSent[];
  /** Accepted, but to a BSUID in `to`: nobody gets them. */
  dropped: SimSent[];
  /** Messages marked as read; those in `typing` with the indicator. */
  reads: SimRead[];
  typing: SimRead[];
  take(request: MetaRequest, numberId: string): Promise<MetaAnswer>;
  /** From now on statuses follow what is sent; null: none. */
  reportStatuses(reports: StatusReports | null): void;
  /** Resolves when all reports so far were sent. */
  reported(): Promise<void>;
}

export function messageLog(world: MetaWorld, maker: PayloadMaker): MessageLog {
  let reports: StatusReports | null = null;
  const reporting = new Set<Promise<void>>();
  const log: MessageLog = {
    sent: [],
    dropped: [],
    reads: [],
    typing: [],
    async take(request, numberId) {
      const outcome = takeMessage(world, request, numberId);
      if (outcome.kind === "read") {
        log.reads.push(outcome.read);
        if (outcome.isTyping) log.typing.push(outcome.read);
        return outcome.answer;
      }
      log[outcome.kind].push(outcome.sent);
      if (reports === null || outcome.kind === "dropped") return outcome.answer;
      const work = report(world, maker, reports, outcome.sent);
      reporting.add(work);
      void work.finally(() => reporting.delete(work));
      if (reports.before) await work;
      return outcome.answer;
    },
    reportStatuses(wanted) {
      reports = wanted;
    },
    async reported() {
      await Promise.all(reporting);
    },
  };
  return log;
}

async function report(
  world: MetaWorld,
  maker: PayloadMaker,
  { serverUrl, statuses, times = 1 }: StatusReports,
  message: SimSent,
): Promise<void> {
  const number = world.numbers.get(message.phoneNumberId);
  if (number === undefined) return;
  for (const status of statuses) {
    const payload = maker.status(number, message.wamid, status, {
      recipient: message.to,
      bsuid: message.recipient,
      ...(message.biz_opaque_callback_data !== null && { reference: message.biz_opaque_callback_data }),
    });
    await sendWebhook(world, serverUrl, payload, { times });
  }
}

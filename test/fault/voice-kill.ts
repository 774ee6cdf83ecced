import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { carrierKeys, carrierSettings, linkNumber, PUBLIC_URL } from "../call-support.ts";
import { newChatWorld } from "../chat-support.ts";
import { ask, type CarrierSide } from "../simulators/carrier/relay-caller.ts";
import type { ScriptedAnswer, SeenRequest } from "../simulators/chat-script.ts";
import { simulatorKey, startOpenaiSimulator } from "../simulators/openai/openai-simulator.ts";
import { client, freePort, startTestServer } from "../support.ts";
import type { Experiment, Outcome } from "./experiment.ts";
import { type ServerProcess, startProcess, waitUntil } from "./process.ts";
import { AT_LENGTH, HABITS, holdCall, type PersonCall, reportsOf, shuffled } from "./voice-callers.ts";
import { compareRows, compareTalk, lookIntoTables } from "./voice-look.ts";

/** FAULT_CALLS says how many calls each process has when it is killed. */
const CALLS_A_ROUND = Number(process.env.FAULT_CALLS ?? 10);
const TALK_MS = { min: 300, max: 5_500 };
/** On PostgreSQL a call is lost a minute after its process was last heard of, and looked for every fifteen seconds. */
const SETTLED_MS = 180_000;
const REPORTERS = 8;
const ANSWER =
  "We deliver within two days, in the whole country. Parcels leave in the morning, and the driver rings once. " +
  "If nobody is at home, the parcel goes to the shop next door, where it waits for a week. ";

/** Who calls, and where the log of it is read. */
interface Phone {
  environment: Record<string, string>;
  /** Where the server listens; what it calls itself is the carrier's affair. */
  url: string;
  key: string;
  accountId: string;
  workspaceId: number;
  number: string;
}

/**
 * Kills a server with SIGKILL while people are on the phone with it, starts it again, and has the carrier report of the
 * calls what it likes. Every call must be in the log once, come to its end with what was said, and stay as it is then.
 */
export const killDuringCalls: Experiment = {
  about: "kill -9 while people are on the phone; every call ends once, with what was said until then",
  rounds: 100,
  async run({ settings, rounds, progress }) {
    const model = await startOpenaiSimulator({ record: false });
    model.chat.always(answerTo);
    const port = await freePort();
    const phone = await newPhone({ ...settings, ...modelSettings(`${model.url}/v1`) }, port);
    const calls: PersonCall[] = [];
    const outcome: Outcome = { figures: {}, violations: [] };
    const killedAt = new Map<PersonCall, number>();
    let errors = 0;
    let before: PersonCall[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const server = await startProcess(phone.environment);
      const begun = await talkUntilKilled(server, phone, round, before);
      const at = Date.now();
      for (const call of begun) {
        killedAt.set(call, at);
        call.endedAt ??= at;
      }
      calls.push(...begun);
      before = begun;
      errors += server.output.stdout.split('"level":50').length - 1;
      progress(
        `round ${round}/${rounds}: ${calls.length} calls, ${questionsOf(calls)} questions, ${errors} errors logged`,
      );
    }
    await settle(phone, calls, killedAt, outcome);
    await model.close();
    const { figures, violations } = outcome;
    return {
      figures: { kills: rounds, calls: calls.length, questions: questionsOf(calls), ...figures },
      violations,
    };
  },
};

function answerTo({ messages }: SeenRequest): ScriptedAnswer {
  const isLong = messages.findLast(({ role }) => role === "user")?.text.includes(AT_LENGTH) === true;
  const texts = ANSWER.repeat(isLong ? 8 : 1).split(/(?<= )/);
  return { texts, firstDelayMs: 40, tokenDelayMs: 25 };
}

function questionsOf(calls: readonly PersonCall[]): number {
  return calls.reduce((sum, { asked }) => sum + asked.length, 0);
}

function modelSettings(url: string): Record<string, string> {
  return {
    ...carrierSettings("twilio"),
    LLM_PROVIDER: "openai-compatible",
    LLM_BASE_URL: url,
    LLM_API_KEY: simulatorKey,
    LLM_MODEL: "gpt-4o-mini",
    BOOTSTRAP: "none",
    LOG_LEVEL: "error",
  };
}

/** A number with an assistant that knows a document, and an endpoint, so that events are written. */
async function newPhone(environment: Record<string, string>, port: number): Promise<Phone> {
  const server = await startTestServer(environment);
  const world = await newChatWorld(server, { Delivery: "Parcels are delivered within two days." });
  const number = await linkNumber(server, world);
  const hook = await world.api.post("/v1/webhook-endpoints", { url: "https://hooks.example.com/calls" });
  if (hook.status !== 200) throw new Error(JSON.stringify(hook.body));
  await server.close();
  const { partner, accountId, workspaceId } = world;
  return {
    environment: { ...environment, PORT: String(port) },
    url: `http://127.0.0.1:${port}`,
    key: partner.key,
    accountId,
    workspaceId,
    number,
  };
}

/** The carrier meanwhile reports of the calls of the process before. */
async function talkUntilKilled(
  server: ServerProcess,
  phone: Phone,
  round: number,
  before: readonly PersonCall[],
): Promise<PersonCall[]> {
  const side = sideOf(phone);
  const calls = Array.from({ length: CALLS_A_ROUND }, (_, index) => newCall(phone, round, index));
  const talkMs = TALK_MS.min + Math.random() * (TALK_MS.max - TALK_MS.min);
  let isOver = false;
  const holding = calls.map((call, index) =>
    holdCall(call, HABITS[(round + index) % HABITS.length] ?? "talks", {
      side,
      talkMs,
      isOver: () => isOver,
    }),
  );
  const reporting = report(side, before, () => Math.floor(Math.random() * 3));
  await sleep(talkMs);
  await server.stop("SIGKILL");
  isOver = true;
  await Promise.all([...holding, reporting]);
  return calls;
}

function newCall({ number }: Phone, round: number, index: number): PersonCall {
  return {
    callSid: `CA${randomBytes(16).toString("hex")}`,
    from: `+39333${String(round).padStart(4, "0")}${String(index).padStart(3, "0")}`,
    to: number,
    begunAt: 0,
    endedAt: null,
    isAnnounced: false,
    asked: [],
  };
}

function sideOf({ url }: Phone): CarrierSide {
  return { keys: carrierKeys("twilio"), publicUrl: PUBLIC_URL, url };
}

/** Several at once, as a carrier's machines do. A report that a dying server does not take is lost. */
async function report(side: CarrierSide, calls: readonly PersonCall[], times: () => number): Promise<void> {
  const reports = shuffled(calls.flatMap((call) => reportsOf(call, times)));
  const reporters = Array.from({ length: REPORTERS }, async () => {
    for (let next = reports.pop(); next !== undefined; next = reports.pop())
      await ask(side, next.path, next.form).catch(() => undefined);
  });
  await Promise.all(reporters);
}

/** Once a server that nobody kills has done the rest. */
async function settle(
  phone: Phone,
  calls: readonly PersonCall[],
  killedAt: ReadonlyMap<PersonCall, number>,
  { figures, violations }: Outcome,
): Promise<void> {
  const server = await startProcess(phone.environment);
  const api = client(phone.url, phone.key, phone.accountId);
  await waitUntil("every call is finalized", SETTLED_MS, async () => {
    await sleep(200);
    const left = ["ringing", "in_progress", "ended"].map((status) =>
      api.get(`/v1/voice-integration/call-logs?status=${status}&limit=1`),
    );
    return (await Promise.all(left)).every(({ body }) => body.total === 0);
  }).catch((error: unknown) => violations.push(String(error)));
  const logs = await readLogs(phone);
  await report(sideOf(phone), calls, () => 1 + Math.floor(Math.random() * 2));
  const later = await readLogs(phone);
  if (JSON.stringify(later) !== JSON.stringify(logs))
    violations.push("what the carrier repeated has changed the call log");
  await server.stop();
  const rows = await lookIntoTables(phone.environment, phone.workspaceId, violations);
  violations.push(...compareRows(calls, rows, logs));
  let unwrittenMs = 0;
  for (const call of calls) {
    const log = logs.find(({ from_number: from }) => from === call.from);
    if (log === undefined) continue;
    const talk = compareTalk(call, log, killedAt.get(call) ?? 0);
    violations.push(...talk.violations);
    unwrittenMs = Math.max(unwrittenMs, talk.unwrittenMs);
    figures[log.ended_reason] = (figures[log.ended_reason] ?? 0) + 1;
  }
  figures.rows = rows.length;
  figures["unwritten ms"] = Math.round(unwrittenMs);
}

/** All of them, oldest first, as a partner sees them. */
async function readLogs({ url, key, accountId }: Phone) {
  const api = client(url, key, accountId);
  const logs = [];
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? "" : `&cursor=${cursor}`;
    const { body } = await api.get(`/v1/voice-integration/call-logs?sort=started_at&limit=100${after}`);
    logs.push(...body.call_logs);
    cursor = body.next_cursor;
  } while (cursor !== null);
  return logs;
}

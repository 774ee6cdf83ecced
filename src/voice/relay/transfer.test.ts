import { sql } from "kysely";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import {
  answerCallers,
  endedCall,
  type LoggedCall,
  linkNumber,
  readCall,
  startCallServer,
} from "../../../test/call-support.ts";
import { newChatWorld, until } from "../../../test/chat-support.ts";
import { type HumanBehaviour, TALK_SECONDS } from "../../../test/simulators/carrier/dialed-human.ts";
import { ask } from "../../../test/simulators/carrier/relay-caller.ts";
import type { World } from "../../../test/support.ts";
import { JobPostponed } from "../../jobs/worker.ts";
import { finalizeCallHandler } from "../finalize-call.jobs.ts";
import { callOwner } from "../test-support.ts";
import { SPOKEN } from "../turn/spoken-phrases.ts";

const twilio = await startCallServer("twilio");
const telnyx = await startCallServer("telnyx");
const carriers = [twilio, telnyx];
const { en, de } = SPOKEN;
const HUMAN = "+393331112222";
const CALLER = "+391234567890";
const WISH = { toolCalls: [{ name: "request_handoff", arguments: { reason: "He wants one." } }] };
const HOLD = { texts: ["I will get somebody for you. ", "Please hold."] };

afterEach(() => {
  for (const { server } of carriers) server.model.chat.reset();
});
afterAll(async () => {
  for (const { server } of carriers) await server.close();
});

async function openShop(
  { server }: typeof twilio,
  handoffNumber: string | null = HUMAN,
  configuration: object = {},
) {
  const world = await newChatWorld(server, { Shop: "The shop is open from nine to six." });
  const changed = await world.api.post(`${world.path}/update`, { handoff_number: handoffNumber });
  expect(changed.body.workspace.handoff_number).toBe(handoffNumber);
  return { world, to: await linkNumber(server, world, configuration) };
}

/** A call whose outcome is written: that follows its end. */
async function transferred(
  { server }: typeof twilio,
  callSid: string,
  isSo: (call: LoggedCall) => boolean = ({ transfer }) => transfer?.status !== "dialed",
): Promise<LoggedCall> {
  await endedCall(server, callSid);
  let call: LoggedCall | undefined;
  await until(async () => {
    call = await readCall(server, callSid);
    return call !== undefined && isSo(call);
  });
  if (call === undefined) throw new Error("no such call");
  return call;
}

const finalize = (server: (typeof twilio)["server"], world: World, call: LoggedCall) =>
  finalizeCallHandler(server.app, {
    id: call.id,
    partnerId: world.partner.id,
    accountId: world.accountId,
    organizationId: world.organizationId,
    payload: { callId: call.id },
    attempt: 1,
    isLastAttempt: false,
    signal: AbortSignal.timeout(5_000),
    progress: async () => undefined,
  });

describe.each([
  ["Twilio", twilio],
  ["Telnyx", telnyx],
] as const)("over %s, a caller who asks for a human", (_name, side) => {
  test("is put through, under the number that was called", async () => {
    const { to } = await openShop(side);
    answerCallers(side.server, WISH, HOLD);
    const caller = await side.call({ to });
    caller.say("I want to talk to a human.");
    await caller.over();
    expect(caller.heardSince()).toContain("Please hold.");
    expect(caller.heardSince()).not.toContain(en.callBack);
    expect(caller.dialed).toMatchObject([{ number: HUMAN, callerId: to, timeoutSeconds: 30 }]);
    const call = await transferred(side, caller.callSid);
    expect(call).toMatchObject({
      ended_reason: "transferred",
      transfer: { reason: "human", to: HUMAN, status: "answered", seconds: TALK_SECONDS },
    });
    // The assistant's part: the human's is not ours.
    expect(call.duration_seconds).toBeLessThan(TALK_SECONDS);
  });

  test("is put through although he talks over it", async () => {
    const { to } = await openShop(side);
    answerCallers(side.server, WISH, { ...HOLD, tokenDelayMs: 400 });
    const caller = await side.call({ to });
    caller.say("I want to talk to a human.");
    await caller.listen("for you.");
    caller.interrupt("I will");
    caller.say("Hello? Hello?");
    await caller.over();
    expect(caller.dialed).toHaveLength(1);
    expect((await transferred(side, caller.callSid)).transfer?.status).toBe("answered");
  });

  test.each<[HumanBehaviour, string]>([
    ["is-busy", "busy"],
    ["does-not-answer", "no_answer"],
    ["cannot-be-dialled", "failed"],
  ])("of whom each %s hears so in the language of the call", async (human, status) => {
    const transcriber = { provider: "deepgram", model: "nova-3", language: "de" };
    const { world, to } = await openShop(side, HUMAN, { transcriber });
    answerCallers(side.server, WISH, HOLD);
    const caller = await side.call({ to, human });
    caller.say("Ich möchte mit einem Menschen sprechen.");
    const { last } = await caller.over();
    expect(last).toEqual([{ verb: "say", text: de.nobodyReached, language: "de-DE" }, { verb: "hang-up" }]);
    const call = await transferred(side, caller.callSid);
    expect(call).toMatchObject({
      ended_reason: "transfer_failed",
      transfer: { to: HUMAN, status, seconds: null },
    });
    const logs = `/v1/voice-integration/call-logs?ended_reason=transfer_failed`;
    const { body } = await world.api.get(logs);
    expect(body.call_logs).toMatchObject([{ ended_by: "carrier", transfer: { reason: "human", status } }]);
    const found = await world.api.get(`${logs}&q=menschen`);
    expect(found.body.total).toBe(1);
  });
});

describe("a caller", () => {
  test("who leaves while the telephone rings was transferred, and reached nobody", async () => {
    const { to } = await openShop(twilio);
    answerCallers(twilio.server, WISH, HOLD);
    const caller = await twilio.call({ to, human: "caller-leaves" });
    caller.say("A human!");
    await caller.over();
    expect(await transferred(twilio, caller.callSid)).toMatchObject({
      ended_reason: "transferred",
      transfer: { status: "canceled" },
    });
  });

  test("who hangs up before nobody is dialled for", async () => {
    const { to } = await openShop(twilio);
    answerCallers(twilio.server, WISH, { ...HOLD, tokenDelayMs: 400 });
    const caller = await twilio.call({ to });
    caller.say("A human!");
    await caller.listen("for you.");
    await caller.hangUp();
    expect(caller.dialed).toEqual([]);
    expect(await endedCall(twilio.server, caller.callSid)).toMatchObject({
      ended_reason: "caller_hung_up",
      transfer: { status: "not_dialed", to: null },
    });
  });

  test("whom the model fails twice is put through, too, and the log says why", async () => {
    const { to } = await openShop(twilio);
    twilio.server.model.chat.always({ failure: { kind: "quota-exhausted" } });
    const caller = await twilio.call({ to, human: "is-busy" });
    caller.say("When are you open?");
    await caller.listen(en.apology);
    caller.say("When are you open?");
    await caller.over();
    expect(caller.heardSince()).toBe(en.colleague + en.nobodyReached);
    expect(await transferred(twilio, caller.callSid)).toMatchObject({
      ended_reason: "model_failed",
      transfer: { reason: "failure", status: "busy" },
    });
  });

  test("is told that somebody gets back where there is nobody to dial", async () => {
    const { world, to } = await openShop(twilio, null);
    answerCallers(twilio.server, WISH, HOLD);
    const caller = await twilio.call({ to });
    caller.say("A human!");
    const { last } = await caller.over();
    expect(caller.heardSince()).toBe(`I will get somebody for you. Please hold. ${en.callBack}`);
    expect([caller.dialed, last]).toEqual([[], [{ verb: "hang-up" }]]);
    const call = await endedCall(twilio.server, caller.callSid);
    expect(call).toMatchObject({
      ended_reason: "transferred",
      transfer: { reason: "human", to: null, status: "not_dialed" },
    });
    // Nothing is waited for.
    const shown = async () =>
      (await world.api.get(`/v1/voice-integration/call-logs/${call.id}`)).body.call_log;
    await until(async () => (await shown()).status === "finalized");
  });

  test("of a suspended account is put through to nobody", async () => {
    const { world, to } = await openShop(twilio);
    answerCallers(twilio.server, WISH, { ...HOLD, tokenDelayMs: 300 });
    const caller = await twilio.call({ to });
    caller.say("A human!");
    await caller.listen("for you.");
    await twilio.server.app.db.asSystem("superadmin", (tx) =>
      sql`update accounts set suspended_at = now() where id = ${world.accountId}`.execute(tx),
    );
    const { last } = await caller.over();
    expect(caller.dialed).toEqual([]);
    expect(last).toMatchObject([{ verb: "say", text: en.nobodyReached }, { verb: "hang-up" }]);
    expect((await endedCall(twilio.server, caller.callSid)).transfer).toMatchObject({ status: "not_dialed" });
  });

  test("is not sent in a circle, from assistant to assistant", async () => {
    const other = await openShop(twilio);
    const { world, to } = await openShop(twilio);
    await twilio.server.app.db.asSystem("superadmin", (tx) =>
      sql`update workspaces set handoff_number = ${other.to} where id = ${world.workspaceId}`.execute(tx),
    );
    answerCallers(twilio.server, WISH, HOLD);
    const caller = await twilio.call({ to });
    caller.say("A human!");
    await caller.over();
    expect(caller.dialed).toEqual([]);
    expect(caller.heardSince()).toContain(en.callBack);
  });
});

describe("what a carrier reports of a transfer", () => {
  const post = (path: string, callSid: string, to: string, more: Record<string, string>) =>
    ask(twilio.side, `/voice/twilio/${path}`, { CallSid: callSid, From: CALLER, To: to, ...more });

  /** A call whose human was dialled, and nothing more is known. */
  async function unreported() {
    const { world, to } = await openShop(twilio);
    answerCallers(twilio.server, WISH, HOLD);
    const caller = await twilio.call({ to, human: "is-not-reported" });
    caller.say("A human!");
    await caller.over();
    const isDialed = ({ transfer }: LoggedCall) => transfer?.status === "dialed";
    return { world, to, caller, call: await transferred(twilio, caller.callSid, isDialed) };
  }

  test("twice, out of order or never changes nothing", async () => {
    const { to } = await openShop(twilio);
    answerCallers(twilio.server, WISH, HOLD);
    const caller = await twilio.call({ to, human: "does-not-answer" });
    const early = await post("transfer", caller.callSid, to, { DialCallStatus: "busy" });
    expect(early).toEqual([{ verb: "hang-up" }]);
    caller.say("A human!");
    await caller.over();
    const call = await transferred(twilio, caller.callSid);
    expect(call.transfer?.status).toBe("no_answer");

    const again = await post("transfer", caller.callSid, to, { DialCallStatus: "no-answer" });
    expect(again).toMatchObject([{ verb: "say", text: en.nobodyReached }, { verb: "hang-up" }]);
    await post("transfer", caller.callSid, to, { DialCallStatus: "completed", DialCallDuration: "9" });
    await post("transfer", caller.callSid, to, { DialCallStatus: "unheard-of" });
    await post("status", caller.callSid, to, { CallStatus: "completed" });
    const repeated = await post("action?attempt=0", caller.callSid, to, { SessionStatus: "ended" });
    expect(repeated).toEqual([{ verb: "hang-up" }]);
    expect(await post("transfer", "CA-unknown", to, { DialCallStatus: "busy" })).toEqual([
      { verb: "hang-up" },
    ]);
    const after = await readCall(twilio.server, caller.callSid);
    expect(after).toMatchObject({ ended_reason: "transfer_failed", transfer: call.transfer });
    expect(after?.events.filter(({ kind }) => kind.startsWith("transfer_"))).toHaveLength(3);
  });

  test("is waited for before the call is finalized, and not for ever", async () => {
    const { world, call } = await unreported();
    await expect(finalize(twilio.server, world, call)).rejects.toBeInstanceOf(JobPostponed);
    expect(call).toMatchObject({ status: "ended", ended_reason: "transferred" });
    await twilio.server.app.db.asTenant(callOwner(world), (tx) =>
      sql`update calls set ended_at = ended_at - interval '46 seconds' where id = ${call.id}`.execute(tx),
    );
    // By this, or by the worker a moment before.
    await finalize(twilio.server, world, call);
    const { body } = await world.api.get(`/v1/voice-integration/call-logs/${call.id}`);
    expect(body.call_log).toMatchObject({ status: "finalized", transfer: { to: HUMAN, status: "dialed" } });
  });

  test("is asked for anew when the answer was lost: the same number is dialled, and logged once", async () => {
    const { to, caller } = await unreported();
    for (let times = 0; times < 2; times += 1)
      expect(
        await post("action?attempt=0", caller.callSid, to, {
          SessionStatus: "ended",
          CallStatus: "in-progress",
        }),
      ).toMatchObject([{ verb: "dial", number: HUMAN, callerId: to }]);
    const after = await readCall(twilio.server, caller.callSid);
    expect(after?.events.filter(({ kind }) => kind === "transfer_dialed")).toHaveLength(1);
  });
});

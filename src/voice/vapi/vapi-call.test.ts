import { sql } from "kysely";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { conversationOf, endedCall, readCall } from "../../../test/call-support.ts";
import { newChatWorld, until } from "../../../test/chat-support.ts";
import { SPEECH_LATENCY_MS } from "../../../test/simulators/vapi/vapi-caller.ts";
import { WEBHOOK_SECRET } from "../../../test/simulators/vapi/vapi-simulator.ts";
import type { World } from "../../../test/support.ts";
import { integrationPath, linkAtVapi, startVapiServer } from "../../../test/vapi-support.ts";
import { endLostCalls, reclaimCalls } from "../sweep-calls.ts";
import { SPOKEN } from "../turn/spoken-phrases.ts";
import { reconcileCalls } from "./reconcile-calls.ts";

const vapi = await startVapiServer();
const { server } = vapi;
const { model, app } = server;
const SHOP = { Shop: "# Opening hours\n\nThe shop is open from nine to six. On Sundays it is closed." };
const { signal } = new AbortController();

afterEach(() => {
  model.chat.reset();
  model.recover();
  vapi.vapi.recover();
});
afterAll(vapi.close);

async function openShop(configuration: object = {}) {
  const world = await newChatWorld(server, SHOP);
  return { world, to: await linkAtVapi(server, world, configuration) };
}

const lastAsked = () => model.chat.seen.at(-1)?.messages ?? [];
const webhook = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/webhooks/vapi`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
const signed = { "x-vapi-secret": WEBHOOK_SECRET };

/** As if nothing had been heard of it for so long. */
async function quietFor(callId: string, minutes: number): Promise<void> {
  await app.db.asSystem("superadmin", (tx) =>
    sql`update calls set lease_until = now() - make_interval(mins => ${minutes}) where provider_call_id = ${callId}`.execute(
      tx,
    ),
  );
}

describe("a caller", () => {
  test("asks about an uploaded document, and the whole call is in the log", async () => {
    const { world, to } = await openShop({ prompt: "You are Nora of Acme." });
    model.chat.say({ texts: ["We are **open** from nine ", "to six [1]. ", "On Sundays we are closed."] });
    const caller = await vapi.call({ to, from: "+393335556666" });
    expect(await caller.say("When are you open?")).toBe(
      "We are open from nine to six. On Sundays we are closed.",
    );
    const asked = lastAsked();
    expect(asked[0]?.text).toContain("You are Nora of Acme.");
    expect(asked[0]?.text).toContain("This is a phone call");
    expect(asked.at(-1)?.text).toContain("The shop is open from nine to six.");
    expect(asked.map(({ text }) => text)).toContain("Hello, this is Acme.");
    await caller.hangUp();

    const { id, ...call } = await endedCall(server, caller.id);
    expect(call).toMatchObject({ ended_reason: "caller_hung_up" });
    expect(call.transcript).toMatchObject([
      { role: "assistant", text: "Hello, this is Acme.", interrupted: false },
      { role: "user", text: "When are you open?" },
      { role: "assistant", text: "We are open from nine to six. On Sundays we are closed." },
    ]);
    await until(async () => (await readCall(server, caller.id))?.status === "finalized");
    const { body } = await world.api.get(`/v1/voice-integration/call-logs/${id}`);
    expect(body.call_log).toMatchObject({
      direction: "inbound",
      from_number: "+393335556666",
      to_number: to,
      status: "finalized",
      ended_by: "caller",
      recording_url: `https://storage.vapi.ai/${caller.id}-mono.wav`,
      summary: "The caller asked something and was answered.",
      latency: { turns: 1 },
    });
    // The whole wait is Vapi's to tell, and our share of it ours.
    const { p50_ms: whole, ours } = body.call_log.latency;
    expect(whole).toBeGreaterThanOrEqual(SPEECH_LATENCY_MS);
    expect(ours.p50_ms).toBeLessThan(whole);
    expect(body.call_log.cost).toMatchObject({ amount: 0.0325, currency: "USD" });
    expect(body.call_log.cost.items).toContainEqual({ item: "engine", amount: 0.01, currency: "USD" });
  });

  test("is a contact, with a conversation on the phone's channel", async () => {
    const { world, to } = await openShop();
    model.chat.say({ texts: ["From nine to six."] }, { texts: ["Yes, it is."] });
    const caller = await vapi.call({ to, from: "+393337778888" });
    await caller.say("When are you open?");
    await caller.say("And on Sundays?");
    expect(lastAsked().map(({ text }) => text)).toContain("From nine to six.");
    await caller.hangUp();
    const { body } = await world.api.get(`${world.path}/contacts`);
    expect(JSON.stringify(body)).toContain("+393337778888");
    const { id } = await endedCall(server, caller.id);
    expect((await conversationOf(server, id)).map(({ text }) => text)).toEqual([
      "When are you open?",
      "From nine to six.",
      "And on Sundays?",
      "Yes, it is.",
    ]);
    const page = await world.api.get(
      `/v1/voice-integration/call-logs?caller=${encodeURIComponent("+393337778888")}`,
    );
    expect(page.body.call_logs.map((log: { id: string }) => log.id)).toEqual([id]);
  });

  test("who hides their number is answered, too", async () => {
    const { to } = await openShop();
    model.chat.say({ texts: ["From nine to six."] });
    const caller = await vapi.call({ to, from: null });
    expect(await caller.say("When are you open?")).toBe("From nine to six.");
    await caller.hangUp();
    expect(await endedCall(server, caller.id)).toMatchObject({ ended_reason: "caller_hung_up" });
  });

  test("interrupts: the model is cancelled, and the log has what was heard", async () => {
    const { to } = await openShop();
    const slow = { texts: ["We are open from nine to six. ", "On Sundays we are closed. ", "And so on."] };
    model.chat.say({ ...slow, tokenDelayMs: 1_000 }, { texts: ["At six."] });
    const caller = await vapi.call({ to });
    const heard = await caller.say("When are you open?", { heardChars: 12 });
    await until(() => model.chat.streams.at(-1)?.closedByClient === true);
    expect(await caller.say("No, when do you close?")).toBe("At six.");
    await caller.hangUp();
    const { transcript } = await endedCall(server, caller.id);
    expect(transcript.map(({ text, interrupted }) => [text, interrupted])).toEqual([
      ["Hello, this is Acme.", false],
      ["When are you open?", false],
      [heard.trim(), true],
      ["No, when do you close?", false],
      ["At six.", false],
    ]);
  });

  test("hears an apology when the model fails, and goes on", async () => {
    const { to } = await openShop();
    model.chat.say({ texts: ["At six."] });
    model.fail({ fault: { kind: "status", status: 401 }, times: 1 });
    const caller = await vapi.call({ to });
    expect(await caller.say("When are you open?")).toBe(SPOKEN.en.apology);
    expect(await caller.say("When do you close?")).toBe("At six.");
    await caller.hangUp();
    const { events } = await endedCall(server, caller.id);
    expect(events.filter(({ kind }) => kind === "failure")).toHaveLength(1);
  });

  test("whom a human takes over hears so, and the call ends as handed over", async () => {
    const { world, to } = await openShop();
    model.chat.say({ texts: ["From nine to six."] });
    const caller = await vapi.call({ to });
    await caller.say("When are you open?");
    const page = await world.api.get(`${world.path}/conversations?channel=voice`);
    const [conversation] = page.body.conversations;
    await world.api.post(`${world.path}/conversations/${conversation.id}/update`, { bot_paused: true });
    expect(await caller.say("I want a human.")).toBe(SPOKEN.en.callBack);
    expect(await endedCall(server, caller.id)).toMatchObject({ ended_reason: "transferred" });
  });
});

const HUMAN = "+390698765432";

describe("an assistant that asks for a human", () => {
  /** Its caller has asked for one. */
  async function ask({ handoffNumber }: { handoffNumber: string | null }) {
    const { world, to } = await openShop();
    const settings = { handoff_number: handoffNumber };
    expect((await world.api.post(`${world.path}/update`, settings)).status).toBe(200);
    const wish = { toolCalls: [{ name: "request_handoff", arguments: { reason: "wants a refund" } }] };
    model.chat.say(wish, { texts: ["Somebody will help you."] });
    const caller = await vapi.call({ to });
    return { world, to, caller, ask: () => caller.say("I want my money back.") };
  }
  const transferOf = async (world: World, id: string) =>
    (await world.api.get(`/v1/voice-integration/call-logs/${id}`)).body.call_log.transfer;
  const eventsOf = (call: { events: { kind: string }[] }) =>
    call.events.flatMap(({ kind }) => (kind.startsWith("transfer") ? [kind] : []));

  test("has the caller put through, with what its tools did in the log", async () => {
    const { world, to, caller, ask: say } = await ask({ handoffNumber: HUMAN });
    expect(await say()).toBe(`Somebody will help you. ${SPOKEN.en.colleague}`);
    // The model is not offered what Vapi can do with a call.
    expect(JSON.stringify(model.chat.seen.at(-1)?.tools ?? [])).not.toContain("transferCall");
    const call = await endedCall(server, caller.id);
    expect(call).toMatchObject({ ended_reason: "transferred" });
    expect(call.transcript.find(({ role }) => role === "tool")).toMatchObject({
      tool: { name: "request_handoff", status: "ok" },
    });
    expect(await transferOf(world, call.id)).toEqual({
      reason: "human",
      to: HUMAN,
      status: "answered",
      seconds: null,
    });
    expect(eventsOf(call)).toEqual(["transfer_requested", "transfer_dialed", "transfer_ended"]);
    expect(caller.transferredTo).toEqual({ type: "number", number: HUMAN, message: "", callerId: to });
  });

  test("whose telephone is busy is one who gets back to the caller", async () => {
    const { world, caller, ask: say } = await ask({ handoffNumber: HUMAN });
    caller.transferOutcome = "busy";
    await say();
    const call = await endedCall(server, caller.id);
    expect(call).toMatchObject({ ended_reason: "transfer_failed" });
    expect(await transferOf(world, call.id)).toMatchObject({ to: HUMAN, status: "busy" });
  });

  test("of whom nothing more is told has been dialled", async () => {
    const { world, caller, ask: say } = await ask({ handoffNumber: HUMAN });
    caller.transferOutcome = "unknown";
    await say();
    const call = await endedCall(server, caller.id);
    expect(call).toMatchObject({ ended_reason: "transferred" });
    expect(await transferOf(world, call.id)).toMatchObject({ to: HUMAN, status: "dialed" });
  });

  test("who has no telephone promises that somebody gets back to the caller, and hangs up", async () => {
    const { world, caller, ask: say } = await ask({ handoffNumber: null });
    expect(await say()).toBe(`Somebody will help you. ${SPOKEN.en.callBack}`);
    const call = await endedCall(server, caller.id);
    expect(call).toMatchObject({ ended_reason: "transferred" });
    expect(await transferOf(world, call.id)).toMatchObject({ to: null, status: "not_dialed" });
  });

  test("whose number went in that moment is not dialled, and the caller hears so", async () => {
    const { world, caller, ask: say } = await ask({ handoffNumber: HUMAN });
    caller.beforeDestination = async () => {
      await world.api.post(`${world.path}/update`, { handoff_number: null });
    };
    expect(await say()).toBe(`Somebody will help you. ${SPOKEN.en.colleague} ${SPOKEN.en.nobodyReached}`);
    const call = await endedCall(server, caller.id);
    expect(call).toMatchObject({ ended_reason: "transferred" });
    expect(await transferOf(world, call.id)).toMatchObject({ to: null, status: "not_dialed" });
  });

  test("tells the same when it is asked twice, and nothing to those who do not show the secret", async () => {
    const { world, caller, ask: say } = await ask({ handoffNumber: HUMAN });
    const call = { id: caller.id };
    const asking = JSON.stringify({ message: { type: "transfer-destination-request", call } });
    // Nobody was asked for yet.
    expect(await (await webhook(asking, signed)).json()).toEqual({ error: expect.any(String) });
    caller.beforeDestination = async () => {
      for (const _ of [1, 2])
        expect(await (await webhook(asking, signed)).json()).toMatchObject({
          destination: { number: HUMAN },
        });
      expect(await (await webhook(asking)).text()).not.toContain(HUMAN);
      // Who was dialled once is dialled, whoever is set meanwhile.
      await world.api.post(`${world.path}/update`, { handoff_number: "+390600000001" });
    };
    await say();
    expect(caller.transferredTo).toMatchObject({ number: HUMAN });
    expect(eventsOf(await endedCall(server, caller.id))).toEqual([
      "transfer_requested",
      "transfer_dialed",
      "transfer_ended",
    ]);
  });
});

describe("what Vapi tells", () => {
  test("twice, three times and out of order changes nothing", async () => {
    const { to } = await openShop();
    model.chat.say({ texts: ["From nine to six."] });
    const caller = await vapi.call({ to }, { times: 3 });
    await caller.say("When are you open?");
    caller.end();
    await caller.report({ times: 2 });
    await caller.send("status-update", { status: "ended" }, { times: 2 });
    await caller.send("status-update", { status: "in-progress" });
    await caller.report();
    const call = await endedCall(server, caller.id);
    expect(call.transcript).toHaveLength(3);
    const kinds = call.events.map(({ kind }) => kind);
    for (const once of ["answered", "caller_said", "transcript", "recording", "summary", "ended"])
      expect([once, kinds.filter((kind) => kind === once)]).toEqual([once, [once]]);
    expect(kinds.filter((kind) => kind === "cost")).toHaveLength(5);
  });

  test("only at the end is enough: the call is there with all that was said", async () => {
    const { to } = await openShop();
    model.chat.say({ texts: ["From nine to six."] });
    const caller = await vapi.call({ to }, { headers: { "x-vapi-secret": "not the secret" } });
    await caller.say("When are you open?");
    await caller.hangUp("exceeded-max-duration");
    const call = await endedCall(server, caller.id);
    expect(call).toMatchObject({ ended_reason: "max_duration" });
    expect(call.transcript).toHaveLength(3);
  });

  test("of a call that nobody answered is that the caller gave up", async () => {
    const { to } = await openShop();
    const caller = await vapi.call({ to }, { headers: {} });
    await caller.send("end-of-call-report", {
      endedReason: "customer-ended-call",
      call: {
        id: caller.id,
        assistantId: vapi.vapi.state.numbers.find((one) => one.number === to)?.assistantId,
      },
    });
    expect(await endedCall(server, caller.id)).toMatchObject({
      ended_reason: "caller_gave_up",
      transcript: [],
    });
  });

  test("of a voice that failed is that provider's fault, in Vapi's words", async () => {
    const { to } = await openShop();
    const caller = await vapi.call({ to });
    await caller.hangUp("pipeline-error-eleven-labs-quota-exceeded");
    const call = await endedCall(server, caller.id);
    expect(call.ended_reason).toBe("voice_failed");
    expect(call.events.at(-1)?.data).toMatchObject({ detail: "pipeline-error-eleven-labs-quota-exceeded" });
  });

  test("without the secret, or with another one, is refused and counted", async () => {
    const before = app.engineMessages.counts().unsigned;
    expect((await webhook("{}")).status).toBe(401);
    expect((await webhook("{}", { "x-vapi-secret": "x".repeat(24) })).status).toBe(401);
    expect(app.engineMessages.counts().unsigned).toBe(before + 2);
  });

  test("that nobody can read, or of a call that is nobody's, is taken and counted", async () => {
    const before = { ...app.engineMessages.counts() };
    expect((await webhook("not json", signed)).status).toBe(200);
    expect((await webhook(JSON.stringify({ message: { type: "hang" } }), signed)).status).toBe(200);
    const call = { id: "unknown", assistantId: "00000000-0000-4000-8000-000000000000" };
    const message = { type: "status-update", status: "in-progress", call };
    expect((await webhook(JSON.stringify({ message }), signed)).status).toBe(200);
    expect(await readCall(server, "unknown")).toBeUndefined();
    expect(app.engineMessages.counts()).toMatchObject({
      unreadable: before.unreadable + 2,
      unknown: before.unknown + 1,
    });
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/lumenone_vapi_messages_total\{outcome="unknown"\} [1-9]/);
  });

  test("with one field that is not as documented is taken all the same", async () => {
    const { to } = await openShop();
    const caller = await vapi.call({ to });
    await caller.send("end-of-call-report", {
      endedReason: "customer-ended-call",
      costs: "many",
      artifact: 7,
    });
    expect(await endedCall(server, caller.id)).toMatchObject({ ended_reason: "caller_hung_up" });
  });
});

describe("a call of which nothing is heard any more", () => {
  test("goes on as long as Vapi says so, and ends as Vapi says when the report was lost", async () => {
    const { to } = await openShop();
    model.chat.say({ texts: ["From nine to six."] });
    const caller = await vapi.call({ to });
    await caller.say("When are you open?");
    await quietFor(caller.id, 2);
    // It needs no process of ours: neither a sweep nor another start ends it.
    await endLostCalls(app);
    await reclaimCalls(app);
    await reconcileCalls(app, signal);
    expect(await readCall(server, caller.id)).toMatchObject({ status: "in_progress" });
    caller.end("silence-timed-out");
    await quietFor(caller.id, 2);
    await reconcileCalls(app, signal);
    const call = await endedCall(server, caller.id);
    expect(call).toMatchObject({ ended_reason: "caller_silent" });
    expect(call.transcript).toHaveLength(3);
  });

  test("waits while Vapi is down, and is given up after a quarter of an hour, with what was said", async () => {
    const { to } = await openShop();
    model.chat.say({ texts: ["From nine to six."] });
    const caller = await vapi.call({ to });
    await caller.say("When are you open?");
    await caller.send("status-update", { status: "ended", endedReason: "silence-timed-out" });
    vapi.vapi.fail({ fault: { kind: "status", status: 500 } });
    await quietFor(caller.id, 5);
    await reconcileCalls(app, signal);
    expect(await readCall(server, caller.id)).toMatchObject({ status: "in_progress" });
    await quietFor(caller.id, 16);
    await reconcileCalls(app, signal);
    const call = await endedCall(server, caller.id);
    expect(call).toMatchObject({ ended_reason: "caller_silent" });
    expect(call.transcript.map(({ text }) => text)).toEqual(["When are you open?", "From nine to six."]);
  });

  test("that Vapi does not know any more has ended by its fault", async () => {
    const { to } = await openShop();
    const caller = await vapi.call({ to });
    vapi.vapi.state.calls.delete(caller.id);
    await quietFor(caller.id, 2);
    await reconcileCalls(app, signal);
    expect(await endedCall(server, caller.id)).toMatchObject({ ended_reason: "engine_failed" });
  });
});

describe("the surface for OpenAI's clients", () => {
  test("takes a call for a call only from the key of an assistant", async () => {
    const { world } = await openShop();
    model.chat.say({ texts: ["We are **open** [1]."] });
    const body = {
      model: world.workspaceSlug,
      messages: [{ role: "user", content: "When are you open?" }],
      call: { id: "made-up" },
    };
    const answer = await world.api.post("/v1/openai/chat/completions", body);
    expect(answer.body.choices[0].message.content).toContain("**open**");
    expect(await readCall(server, "made-up")).toBeUndefined();
  });

  test("answers nobody of a suspended account", async () => {
    const { world, to } = await openShop();
    const caller = await vapi.call({ to });
    await world.api.post(`/v1/accounts/${world.accountId}/suspend`);
    await expect(caller.say("When are you open?")).rejects.toThrow("403");
    await world.api.post(`/v1/accounts/${world.accountId}/resume`);
    await caller.hangUp();
  });

  test("names the configuration that the call runs with", async () => {
    const { world, to } = await openShop();
    const caller = await vapi.call({ to });
    const { version } = (await world.api.get(integrationPath(world))).body.voice_integration;
    await caller.hangUp();
    const { id } = await endedCall(server, caller.id);
    const { body } = await world.api.get(`/v1/voice-integration/call-logs/${id}`);
    expect(body.call_log).toMatchObject({ config_version: version });
  });
});

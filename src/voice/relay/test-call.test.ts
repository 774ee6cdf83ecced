import { sql } from "kysely";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { answerCallers } from "../../../test/call-support.ts";
import { newChatWorld, startChatServer, until } from "../../../test/chat-support.ts";
import { mintTestCall, openTestLine, testCall } from "../../../test/test-call-support.ts";
import { USUAL_WAITS } from "../turn/call-state.ts";
import { SPOKEN } from "../turn/spoken-phrases.ts";

/** Without a carrier. */
const server = await startChatServer(
  {},
  { callWaits: { ...USUAL_WAITS, keysMs: 60, speechMsPerChar: 0.2, farewellMs: 30 } },
);
const { model } = server;
const { en } = SPOKEN;
const REFUSED = 1008;

afterEach(() => model.chat.reset());
afterAll(() => server.close());

async function openShop() {
  const world = await newChatWorld(server, { Shop: "The shop is open from nine to six." });
  await world.api.post(`${world.path}/voice-integration`, {
    firstMessage: "Hello, this is Acme.",
    transcriber: { provider: "deepgram", model: "nova-3", language: "en" },
  });
  const shown = async (callId: string) => {
    const path = `/v1/voice-integration/call-logs/${callId}`;
    await until(async () => (await world.api.get(path)).body.call_log.ended_reason !== null);
    return (await world.api.get(path)).body.call_log;
  };
  return { world, shown };
}

describe("a call from a browser", () => {
  test("is greeted, answered from the documents, interrupted, and logged with its provider", async () => {
    const { world, shown } = await openShop();
    answerCallers(
      server,
      { texts: ["We are open from nine ", "to six. ", "On Sundays we are closed."] },
      { texts: ["At six."] },
    );
    const caller = await testCall(server, world);
    expect(caller.heard()).toBe("Hello, this is Acme.");
    caller.say("When are you open?");
    await caller.listen("closed.");
    const asked = model.chat.seen.flatMap(({ messages }) => messages.map(({ text }) => text));
    expect(asked.some((text) => text.includes("The shop is open from nine to six."))).toBe(true);
    const spoken = caller.frames.filter((frame) => frame.type === "text" && frame.turn === 1);
    expect(spoken.length).toBeGreaterThan(1);
    expect(caller.events("turn_timed")).toMatchObject([{ turnId: "1", oursMs: expect.any(Number) }]);
    caller.send({ type: "interrupt", utteranceUntilInterrupt: "We are open" });
    caller.say("When do you close?");
    await caller.listen("At six.");
    caller.send({ type: "hang-up" });
    expect(await caller.closed).toBe(1000);
    expect(caller.events("ended")).toMatchObject([{ reason: "caller_hung_up", by: "caller" }]);
    const call = await shown(caller.callId);
    expect(call).toMatchObject({
      provider: "browser",
      ended_reason: "caller_hung_up",
      from_number: null,
      config_version: 1,
      latency: { turns: 2 },
    });
    expect(call.transcript).toMatchObject([
      { text: "Hello, this is Acme." },
      { role: "user", text: "When are you open?" },
      { role: "assistant", text: "We are open", interrupted: true },
      { role: "user", text: "When do you close?" },
      { role: "assistant", text: "At six." },
    ]);
  });

  test("shows tools, keys, and why it has ended", async () => {
    const { world, shown } = await openShop();
    answerCallers(
      server,
      { texts: ["You chose twelve."] },
      { toolCalls: [{ name: "request_handoff", arguments: { reason: "He wants one." } }] },
      { texts: ["I have asked somebody."] },
    );
    await world.api.post(`${world.path}/update`, { handoff_number: "+493012345678" });
    const caller = await testCall(server, world);
    for (const digit of "12#") caller.send({ type: "dtmf", digit });
    await caller.listen("twelve.");
    caller.say("A human!");
    await until(() => caller.events("ended").length > 0);
    expect(caller.events("tool_started")).toMatchObject([{ name: "request_handoff" }]);
    expect(caller.events("tool_ended")).toMatchObject([{ name: "request_handoff", status: "ok" }]);
    expect(caller.events("transfer_requested")).toMatchObject([{ to: "human", reason: "human" }]);
    expect(caller.events("ended")).toMatchObject([
      { reason: "transferred", by: "agent", remedy: expect.stringContaining("human") },
    ]);
    // The words are those of the telephone, where the caller would be put through now.
    expect(caller.heard()).not.toContain(en.callBack);
    caller.leave();
    expect(await shown(caller.callId)).toMatchObject({ transfer: { status: "not_dialed" } });
  });

  test("is ended by a window that is closed", async () => {
    const { world, shown } = await openShop();
    const caller = await testCall(server, world);
    caller.leave();
    expect(await shown(caller.callId)).toMatchObject({ ended_reason: "caller_hung_up" });
  });
});

describe("a token", () => {
  test("opens one call, of the workspace that it was made for, and nothing is written before", async () => {
    const { world } = await openShop();
    const token = await mintTestCall(world);
    const logs = async () =>
      (await world.api.get(`${world.path}/voice-integration/call-logs`)).body.call_logs;
    expect(await logs()).toEqual([]);
    const lines = await Promise.all([1, 2, 3].map(() => openTestLine(server, token)));
    await until(() => lines.some(({ frames }) => frames.length > 0));
    const answered = lines.filter(({ frames }) => frames.length > 0);
    const refused = lines.filter((line) => !answered.includes(line));
    expect(answered).toHaveLength(1);
    expect(await Promise.all(refused.map(({ closed }) => closed))).toEqual([REFUSED, REFUSED]);
    answered[0]?.leave();
    await answered[0]?.closed;
    expect(await (await openTestLine(server, token)).closed).toBe(REFUSED);
    expect(await logs()).toHaveLength(1);
  });

  test("that was changed, is too old or of a suspended account opens nothing", async () => {
    const { world } = await openShop();
    const token = await mintTestCall(world);
    for (const bad of ["", `${token}x`, token.slice(0, -4)])
      expect(await (await openTestLine(server, bad)).closed).toBe(REFUSED);
    await server.app.db.asSystem("superadmin", (tx) =>
      sql`update accounts set suspended_at = now() where id = ${world.accountId}`.execute(tx),
    );
    expect(await (await openTestLine(server, token)).closed).toBe(REFUSED);
  });

  test("is not made for a workspace without an assistant on the phone", async () => {
    const world = await newChatWorld(server, {});
    const { status, body } = await world.api.post(`${world.path}/voice-integration/test-call`);
    expect([status, body.code]).toEqual([404, "not_found"]);
  });
});

test("the page asks for nothing from elsewhere and may not be framed", async () => {
  for (const [path, type] of [
    ["/docs/test-call", "text/html"],
    ["/docs/test-call/page.js", "text/javascript"],
    ["/docs/test-call/style.css", "text/css"],
  ] as const) {
    const response = await fetch(`${server.url}${path}`);
    expect(response.headers.get("content-type")).toContain(type);
    expect(response.headers.get("content-security-policy")).toContain(
      "default-src 'none'; script-src 'self'",
    );
    expect(response.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(await response.text()).not.toMatch(/https?:\/\//);
  }
});

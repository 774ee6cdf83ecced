import { once } from "node:events";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  carrierKeys,
  endedCall,
  linkNumber,
  PUBLIC_URL,
  readCall,
  startCallServer,
} from "../../../test/call-support.ts";
import { newChatWorld, until } from "../../../test/chat-support.ts";
import { ask } from "../../../test/simulators/carrier/relay-caller.ts";
import { signForm, signHandshake } from "../../../test/simulators/carrier/relay-signatures.ts";
import { newWorld, testServer } from "../../../test/support.ts";
import { SPOKEN } from "../turn/spoken-phrases.ts";

const twilio = await startCallServer("twilio");
const telnyx = await startCallServer("telnyx");
const SHOP = { Shop: "# Opening hours\n\nThe shop is open from nine to six." };
const CALLER = "+391234567890";
const LINE = `${PUBLIC_URL.replace("https", "wss")}/voice/relay/twilio`;

afterEach(() => twilio.server.model.chat.reset());
afterAll(async () => {
  await twilio.server.close();
  await telnyx.server.close();
});

const incoming = (callSid: string, to: string) =>
  ask(twilio.side, "/voice/twilio/incoming", {
    CallSid: callSid,
    From: CALLER,
    To: to,
    CallStatus: "ringing",
  });
const report = (callSid: string, status: string) =>
  ask(twilio.side, "/voice/twilio/status", { CallSid: callSid, From: CALLER, To: "+1", CallStatus: status });

/** What becomes of a line that begins with these messages. */
async function openLine(messages: object[], headers: Record<string, string>): Promise<number> {
  const url = `${twilio.server.url.replace("http", "ws")}/voice/relay/twilio`;
  const socket = new WebSocket(url, { headers });
  const refused = new Promise<number>((resolve) => {
    socket.on("unexpected-response", (_request, response) => {
      resolve(response.statusCode ?? 0);
      socket.terminate();
    });
    socket.on("error", () => undefined);
    socket.on("close", resolve);
  });
  const opened = once(socket, "open").then(
    () => true,
    () => false,
  );
  if (await Promise.race([opened, refused.then(() => false)]))
    for (const message of messages) socket.send(JSON.stringify(message));
  return refused;
}

const signed = () => signHandshake(carrierKeys("twilio"), LINE);
const setup = (callSid: string, token?: string) => ({
  type: "setup",
  sessionId: "VX1",
  callSid,
  customParameters: token === undefined ? {} : { token },
});

describe("a carrier's request", () => {
  test("that is not signed is refused, whatever it says", async () => {
    const to = await linkNumber(twilio.server, await newWorld(twilio.server));
    const body = new URLSearchParams({ CallSid: "CA1", From: CALLER, To: to }).toString();
    const post = (headers: Record<string, string>, sent = body) =>
      fetch(`${twilio.server.url}/voice/twilio/incoming`, { method: "POST", headers, body: sent });
    const good = signForm(carrierKeys("twilio"), `${PUBLIC_URL}/voice/twilio/incoming`, body);
    const elsewhere = signForm(
      carrierKeys("twilio"),
      "https://other.example.com/voice/twilio/incoming",
      body,
    );
    expect((await post({})).status).toBe(403);
    expect((await post(elsewhere)).status).toBe(403);
    expect((await post(good, `${body}0`)).status).toBe(403);
    expect((await post({ ...good, host: "other.example.com" })).status).toBe(200);
    const empty = signForm(carrierKeys("twilio"), `${PUBLIC_URL}/voice/twilio/incoming`, "");
    expect((await post(empty, "")).status).toBe(400);
  });

  test("finds no route where there is no such carrier", async () => {
    const bare = await testServer();
    for (const [url, carrier] of [
      [bare.url, "twilio"],
      [twilio.server.url, "telnyx"],
    ])
      expect((await fetch(`${url}/voice/${carrier}/incoming`, { method: "POST" })).status).toBe(404);
  });

  test("that comes twice is one call", async () => {
    const to = await linkNumber(twilio.server, await newWorld(twilio.server));
    const [first] = await incoming("CA-twice", to);
    const [second] = await incoming("CA-twice", to);
    expect([first?.verb, second?.verb]).toEqual(["relay", "relay"]);
    const caller = await twilio.call({ to, callSid: "CA-twice" });
    await until(async () => (await readCall(twilio.server, "CA-twice"))?.status === "in_progress");
    expect(await incoming("CA-twice", to)).toEqual([{ verb: "hang-up" }]);
    await caller.hangUp();
  });
});

describe("a line", () => {
  test("is opened with a signature only, to a path that there is", async () => {
    expect(await openLine([], {})).toBe(403);
    expect(await openLine([], signHandshake(carrierKeys("twilio"), `${LINE}x`))).toBe(403);
    const other = new WebSocket(`${twilio.server.url.replace("http", "ws")}/voice/relay/vonage`);
    const [, response] = await once(other, "unexpected-response");
    expect(response.statusCode).toBe(404);
  });

  test("belongs to the one call that its token names, once, while it rings", async () => {
    const to = await linkNumber(twilio.server, await newWorld(twilio.server));
    const [line] = await incoming("CA-own", to);
    const [other] = await incoming("CA-other", to);
    if (line?.verb !== "relay" || other?.verb !== "relay") throw new Error("no line");
    const { token = "" } = line.parameters;
    const REFUSED = 1008;
    expect(await openLine([setup("CA-own")], signed())).toBe(REFUSED);
    expect(await openLine([setup("CA-own", `${token}x`)], signed())).toBe(REFUSED);
    expect(await openLine([setup("CA-other", token)], signed())).toBe(REFUSED);
    expect(await openLine([{ type: "prompt", voicePrompt: "Hello?" }], signed())).toBe(REFUSED);
    const caller = await twilio.call({ to, callSid: "CA-own", token });
    await until(async () => (await readCall(twilio.server, "CA-own"))?.status === "in_progress");
    expect(await openLine([setup("CA-own", token)], signed())).toBe(REFUSED);
    await caller.hangUp();
    expect(await openLine([setup("CA-own", token)], signed())).toBe(REFUSED);
  });

  test("that cannot be opened is tried with the fallbacks, then with nothing chosen, then given up", async () => {
    const to = await linkNumber(twilio.server, await newWorld(twilio.server), {
      voice: { provider: "11labs", voiceId: "Anna", model: "eleven_flash_v2_5" },
      fallbackVoices: [{ provider: "11labs", voiceId: "Ben", model: "eleven_turbo_v2" }],
    });
    const [first] = await incoming("CA-fails", to);
    const voices = [];
    let next = first;
    for (let attempt = 0; next?.verb === "relay" && attempt < 9; attempt += 1) {
      const { voice, speechModel } = next.attributes;
      voices.push([voice, speechModel]);
      const { pathname, search } = new URL(next.action);
      [next] = await ask(twilio.side, `${pathname}${search}`, {
        CallSid: "CA-fails",
        From: CALLER,
        To: to,
        SessionStatus: "failed",
        ErrorCode: "64101",
      });
    }
    expect(voices).toEqual([
      ["Anna-flash_v2_5", "nova-3-general"],
      ["Ben-turbo_v2", "nova-3-general"],
      [undefined, undefined],
    ]);
    expect(next).toMatchObject({ verb: "say", text: SPOKEN.it.unavailable });
    expect(await endedCall(twilio.server, "CA-fails")).toMatchObject({ ended_reason: "never_connected" });
  });
});

describe("a carrier's reports", () => {
  test("come twice and change nothing, and end only what was never answered", async () => {
    const to = await linkNumber(twilio.server, await newWorld(twilio.server));
    const caller = await twilio.call({ to });
    await until(async () => (await readCall(twilio.server, caller.callSid))?.status === "in_progress");
    for (const status of ["in-progress", "in-progress", "completed", "completed"])
      await report(caller.callSid, status);
    expect((await readCall(twilio.server, caller.callSid))?.status).toBe("in_progress");
    await caller.hangUp();
    const call = await endedCall(twilio.server, caller.callSid);
    await report(caller.callSid, "failed");
    expect(call.ended_reason).toBe("caller_hung_up");
    expect(call.events.filter(({ kind }) => kind === "provider_status")).toHaveLength(2);
    expect((await readCall(twilio.server, caller.callSid))?.ended_reason).toBe("caller_hung_up");
  });

  test("of a caller who hangs up while it rings end the call", async () => {
    const to = await linkNumber(twilio.server, await newWorld(twilio.server));
    await incoming("CA-rings", to);
    expect(await report("CA-rings", "canceled")).toEqual([]);
    expect((await endedCall(twilio.server, "CA-rings")).ended_reason).toBe("caller_gave_up");
    expect(await report("CA-unknown", "completed")).toEqual([]);
  });
});

describe("over Telnyx", () => {
  test("a whole conversation is held", async () => {
    const world = await newChatWorld(telnyx.server, SHOP);
    const to = await linkNumber(telnyx.server, world, {
      voice: { provider: "11labs", voiceId: "Anna", model: "eleven_flash_v2_5" },
      transcriber: { provider: "deepgram", model: "nova-3", language: "de" },
    });
    const { model } = telnyx.server;
    model.chat.say({ texts: ["Wir haben von neun bis ", "sechs geöffnet [1]."] });
    const caller = await telnyx.call({ to, from: "anonymous" });
    expect(caller.instructions[0]).toMatchObject({
      attributes: {
        language: "de-DE",
        voice: "ElevenLabs.eleven_flash_v2_5.Anna",
        transcriptionProvider: "deepgram",
        speechModel: "nova-3",
      },
    });
    caller.say("Wann haben Sie geöffnet?");
    await caller.listen("sechs geöffnet.");
    caller.interrupt("Wir haben von neun");
    caller.say("Danke, auf Wiederhören!");
    await caller.over();
    expect(caller.heardSince()).toContain(SPOKEN.de.goodbye);
    const call = await endedCall(telnyx.server, caller.callSid);
    expect(call).toMatchObject({ ended_reason: "goodbye" });
    expect(call.transcript).toContainEqual(
      expect.objectContaining({ role: "assistant", text: "Wir haben von neun", interrupted: true }),
    );
  });

  test("what is signed too long ago is refused", async () => {
    const body = "CallSid=1&To=%2B1";
    const post = (at: Date) =>
      fetch(`${telnyx.server.url}/voice/telnyx/incoming`, {
        method: "POST",
        headers: signForm(carrierKeys("telnyx"), "", body, at),
        body,
      });
    expect((await post(new Date())).status).toBe(200);
    expect((await post(new Date(Date.now() - 6 * 60_000))).status).toBe(403);
  });
});

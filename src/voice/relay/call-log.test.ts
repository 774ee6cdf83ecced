import { afterAll, expect, test } from "vitest";
import { linkNumber, readCall, startCallServer } from "../../../test/call-support.ts";
import { newChatWorld, until } from "../../../test/chat-support.ts";

const twilio = await startCallServer("twilio");
const { server } = twilio;
afterAll(() => server.close());

test("what was said of an answer is written while the answer goes on, in few pieces", async () => {
  const to = await linkNumber(server, await newChatWorld(server));
  server.model.chat.say({
    // A clause is spoken once it is known where it ends.
    texts: ["We open at nine. ", "We close at six. ", "On Sundays", " we are closed."],
    failure: { kind: "stall", afterPieces: 3 },
  });
  const caller = await twilio.call({ to });
  caller.say("When are you open?");
  await caller.listen("six.");
  const spoken = "We open at nine. We close at six. ";
  const written = async () => {
    const events = (await readCall(server, caller.callSid))?.events ?? [];
    return events.filter(({ kind, data }) => kind === "agent_said" && data.turnId === "1");
  };
  await until(async () => textOf(await written()) === spoken);
  expect((await written()).length).toBeLessThanOrEqual(2);
  await caller.hangUp();
});

function textOf(events: readonly { data: Record<string, unknown> }[]): string {
  return events.map(({ data }) => data.text).join("");
}

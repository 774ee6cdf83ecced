import { expect, test } from "vitest";
import { testServer } from "../../../test/support.ts";
import { insertNumber } from "../../../test/voice-support.ts";
import { openCall } from "../open-call.ts";
import { callOwner, newVoice } from "../test-support.ts";
import { findCalled, findCarrierCall } from "./find-called.ts";

const server = await testServer();
const { app } = server;

test("the number that is called says whose assistant answers, and with which version", async () => {
  const { world, patch, made } = await newVoice(server, { prompt: "Be brief." });
  const e164 = `+3906${process.pid}`.padEnd(13, "7");
  const number_id = await insertNumber(app, callOwner(world), e164);
  expect(await findCalled(app, e164)).toBeUndefined();
  await patch({ number_id });
  expect(await findCalled(app, e164)).toMatchObject({
    owner: callOwner(world),
    integrationId: made.id,
    version: 2,
    numberId: number_id,
    configuration: { prompt: "Be brief." },
  });
  await patch({ number_id: null });
  expect(await findCalled(app, e164)).toBeUndefined();
});

test("a call is found by the name that its provider gives it, and by no other's", async () => {
  const { world } = await newVoice(server);
  const { id } = await openCall(app, callOwner(world), {
    direction: "inbound",
    provider: "twilio",
    providerCallId: `CA-${world.workspaceId}`,
    from: null,
    to: null,
    numberId: null,
    configuration: null,
    startedAt: app.now(),
  });
  expect(await findCarrierCall(app, "twilio", `CA-${world.workspaceId}`)).toMatchObject({
    id,
    owner: callOwner(world),
    configuration: null,
    status: "ringing",
  });
  expect(await findCarrierCall(app, "telnyx", `CA-${world.workspaceId}`)).toBeUndefined();
});

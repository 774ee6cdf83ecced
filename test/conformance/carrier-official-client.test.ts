import twilio from "twilio";
import { afterAll, expect, test } from "vitest";
import { startCarrierSimulator } from "../simulators/carrier/carrier-simulator.ts";

// The simulator is only worth something if Twilio's own client takes it for the real thing.
const simulator = await startCarrierSimulator();
afterAll(() => simulator.close());
const { accountSid, authToken } = simulator.state;
const client = clientWith(authToken);

test("the official client searches, buys, lists, changes and gives back numbers", async () => {
  simulator.stock("+14155550123");
  simulator.stock("+14155550124");
  const found = await client.availablePhoneNumbers("US").local.list({ areaCode: 415, limit: 5 });
  expect(found.map(({ phoneNumber }) => phoneNumber)).toEqual(["+14155550123", "+14155550124"]);
  expect(found[0]).toMatchObject({ isoCountry: "US", addressRequirements: "none" });

  const bought = await client.incomingPhoneNumbers.create({
    phoneNumber: "+14155550123",
    friendlyName: "Ours 1",
  });
  expect(bought).toMatchObject({ accountSid, friendlyName: "Ours 1", status: "in-use" });
  expect(bought.dateCreated.getTime()).toBeGreaterThan(Date.now() - 60_000);
  await client.incomingPhoneNumbers.create({ phoneNumber: "+14155550124", friendlyName: "Ours 2" });

  // Over several pages.
  expect(await client.incomingPhoneNumbers.list({ pageSize: 1 })).toHaveLength(2);
  const [named] = await client.incomingPhoneNumbers.list({ friendlyName: "Ours 1" });
  expect(named?.sid).toBe(bought.sid);
  const voiceUrl = "https://ai.example.com/voice";
  const changed = await client.incomingPhoneNumbers(bought.sid).update({ voiceUrl, voiceMethod: "POST" });
  expect(changed.voiceUrl).toBe(voiceUrl);
  expect(await client.incomingPhoneNumbers(bought.sid).remove()).toBe(true);
  await expect(client.incomingPhoneNumbers(bought.sid).fetch()).rejects.toMatchObject({
    status: 404,
    code: 20404,
  });
});

test("the official client reads its failures", async () => {
  const taken = client.incomingPhoneNumbers.create({ phoneNumber: "+14155550199" });
  await expect(taken).rejects.toMatchObject({
    status: 400,
    code: 21422,
    moreInfo: "https://www.twilio.com/docs/errors/21422",
  });
  const stranger = clientWith("wrong");
  await expect(stranger.incomingPhoneNumbers.list()).rejects.toMatchObject({ status: 401, code: 20003 });
  simulator.fail({ fault: { kind: "status", status: 429 }, times: 1 });
  await expect(client.incomingPhoneNumbers.list()).rejects.toMatchObject({ status: 429, code: 20429 });
});

test("the official client reads regulations and bundles", async () => {
  simulator.regulate("DE", "local");
  const compliance = client.numbers.v2.regulatoryCompliance;
  const [regulation] = await compliance.regulations.list({ isoCountry: "DE", numberType: "local" });
  expect(regulation).toMatchObject({ friendlyName: "DE: local - Business", endUserType: "business" });
  const sid = simulator.bundle("papers", "in-review");
  expect((await compliance.bundles(sid).fetch()).status).toBe("in-review");
});

/** Twilio's client with nothing changed but where it sends its requests. */
function clientWith(token: string) {
  const made = twilio(accountSid, token);
  made.api.baseUrl = simulator.url;
  made.numbers.baseUrl = simulator.url;
  return made;
}

import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { CarrierError } from "../../src/ports/carrier.ts";
import type { TwilioOptions } from "../../src/providers/twilio/call-twilio.ts";
import { twilioCarrier } from "../../src/providers/twilio/twilio-carrier.ts";
import { startCarrierSimulator } from "../simulators/carrier/carrier-simulator.ts";

const simulator = await startCarrierSimulator();
afterAll(() => simulator.close());

const BERLIN = "+493012345678";
const wanted = { country: "DE", type: "local", areaCode: null, limit: 5 } as const;
const order = (number: string, more: { bundleId?: string; addressId?: string } = {}) => ({
  number,
  reference: `LumenOne ${number}`,
  bundleId: more.bundleId ?? null,
  addressId: more.addressId ?? null,
});
const { accountSid, authToken } = simulator.state;
const carrierWith = (more: Partial<TwilioOptions> = {}) =>
  twilioCarrier({ accountSid, authToken, baseUrl: simulator.url, ...more });
const carrier = carrierWith();

beforeEach(() => {
  simulator.recover();
  simulator.requests.length = 0;
  Object.assign(simulator.state, { stock: [], owned: [], sales: [], regulations: [] });
});

describe("a search", () => {
  test("finds numbers of the country, kind and area, with what they can do", async () => {
    simulator.stock(BERLIN, { addressRequired: "local", sms: false });
    simulator.stock("+494012345678");
    simulator.stock("+4915112345678");
    simulator.stock("+14155550123");
    expect(await carrier.searchNumbers({ ...wanted, areaCode: "30" })).toEqual([
      { number: BERLIN, capabilities: { voice: true, sms: false }, addressRequired: "local" },
    ]);
    const american = { country: "US", type: "local", areaCode: "415", limit: 5 } as const;
    expect((await carrier.searchNumbers(american)).map(({ number }) => number)).toEqual(["+14155550123"]);
    expect(await carrier.searchNumbers({ ...american, areaCode: "212" })).toEqual([]);
    const mobile = await carrier.searchNumbers({ ...wanted, type: "mobile" });
    expect(mobile.map(({ number }) => number)).toEqual(["+4915112345678"]);
  });

  test("returns no more than asked for", async () => {
    for (let i = 0; i < 8; i += 1) simulator.stock(`+49301234567${i}`);
    expect(await carrier.searchNumbers(wanted)).toHaveLength(5);
  });

  test("where nothing of the kind is sold is told apart from one that finds nothing now", async () => {
    const search = carrier.searchNumbers({ ...wanted, country: "AQ" });
    await expect(search).rejects.toMatchObject({ kind: "not_offered", isAmbiguous: false });
  });
});

describe("an order", () => {
  test("buys the number, which is then found by its reference and by itself", async () => {
    simulator.stock(BERLIN);
    const bought = await carrier.orderNumber(order(BERLIN));
    expect(bought).toEqual({
      id: expect.stringMatching(/^PN[0-9a-f]{32}$/),
      number: BERLIN,
      reference: `LumenOne ${BERLIN}`,
      capabilities: { voice: true, sms: true },
      status: "in-use",
    });
    expect(await carrier.findByReference(bought.reference)).toEqual([bought]);
    expect(await carrier.findByReference("LumenOne")).toEqual([]);
    expect(await carrier.findNumber(BERLIN)).toEqual(bought);
    expect(await carrier.findNumber("+493012345679")).toBeUndefined();
    expect(await carrier.searchNumbers(wanted)).toEqual([]);
  });

  test("of a number that somebody else has is refused as taken, in the carrier's words", async () => {
    simulator.stock(BERLIN, { isGone: true });
    expect(await refusalOf(carrier.orderNumber(order(BERLIN)))).toMatchObject({
      kind: "taken",
      said: `21422: PhoneNumber ${BERLIN} is not available.`,
      isAmbiguous: false,
      status: 400,
    });
  });

  test("without the papers or the address that it needs is refused as that, and passes with them", async () => {
    simulator.regulate("DE", "local");
    simulator.stock(BERLIN);
    const waiting = simulator.bundle("waiting", "in-review");
    for (const bundleId of [undefined, waiting]) {
      const refusal = await refusalOf(carrier.orderNumber(order(BERLIN, bundleId ? { bundleId } : {})));
      expect(refusal).toMatchObject({ kind: "papers", isAmbiguous: false });
      expect(refusal.said).toMatch(/^21649: /);
    }
    const approved = simulator.bundle("approved", "twilio-approved");
    expect((await carrier.orderNumber(order(BERLIN, { bundleId: approved }))).number).toBe(BERLIN);

    simulator.stock("+14155550123", { addressRequired: "any" });
    expect(await refusalOf(carrier.orderNumber(order("+14155550123")))).toMatchObject({ kind: "papers" });
    const addressId = simulator.address("here");
    expect((await carrier.orderNumber(order("+14155550123", { addressId }))).number).toBe("+14155550123");
  });

  test.each([
    ["whose connection dies after the sale", { kind: "reset" as const }, 1],
    ["whose answer is cut off", { kind: "partial" as const }, 1],
    ["that a proxy answers", { kind: "html" as const }, 0],
    ["that meets a failure of the carrier", { kind: "status" as const, status: 503 }, 0],
  ])("%s may have been carried out: it is ambiguous", async (_name, fault, sold) => {
    simulator.stock(BERLIN);
    simulator.fail({ fault, times: 1 });
    expect(await refusalOf(carrier.orderNumber(order(BERLIN)))).toMatchObject({ isAmbiguous: true });
    expect(await carrier.findByReference(`LumenOne ${BERLIN}`)).toHaveLength(sold);
  });

  test("that is accepted and answered too late is ambiguous, and found afterwards", async () => {
    simulator.stock(BERLIN);
    simulator.state.afterSale = () => new Promise((resolve) => setTimeout(resolve, 300));
    const failed = refusalOf(carrierWith({ timeoutMs: 50 }).orderNumber(order(BERLIN)));
    expect(await failed).toMatchObject({ code: "timeout", isAmbiguous: true });
    simulator.state.afterSale = async () => undefined;
    expect(await carrier.findByReference(`LumenOne ${BERLIN}`)).toHaveLength(1);
  });

  test("that comes too often was not carried out, and may come again", async () => {
    simulator.stock(BERLIN);
    simulator.fail({ fault: { kind: "status", status: 429, headers: { "retry-after": "7" } }, times: 1 });
    expect(await refusalOf(carrier.orderNumber(order(BERLIN)))).toMatchObject({
      code: "rate_limited",
      retryable: true,
      retryAfterMs: 7_000,
      isAmbiguous: false,
    });
  });

  test("stops when told to", async () => {
    simulator.stock(BERLIN);
    simulator.fail({ fault: { kind: "slow", ms: 1_000 }, times: 1 });
    const stop = new AbortController();
    const ordering = carrier.orderNumber(order(BERLIN), stop.signal);
    setTimeout(() => stop.abort(new Error("gone")), 20);
    await expect(ordering).rejects.toThrow("gone");
  });
});

describe("papers", () => {
  test("are listed as the regulation names them", async () => {
    simulator.regulate("DE", "local", [
      [{ name: "Business registration", accepted: ["Commercial register excerpt", "Trade licence"] }],
      [
        { name: "Proof of address", accepted: [] },
        { name: "Utility bill", accepted: [] },
      ],
    ]);
    expect(await carrier.listPapers({ country: "DE", type: "local" })).toEqual([
      {
        regulation: "DE: local - Business",
        documents: [
          "Business",
          "Business registration (Commercial register excerpt, or Trade licence)",
          "Proof of address, or Utility bill",
        ],
      },
    ]);
    expect(await carrier.listPapers({ country: "US", type: "toll_free" })).toEqual([]);
  });

  test.each([
    ["draft", "waiting"],
    ["pending-review", "waiting"],
    ["in-review", "waiting"],
    ["twilio-approved", "approved"],
    ["provisionally-approved", "approved"],
    ["twilio-rejected", "rejected"],
  ])("that are %s are %s", async (status, verdict) => {
    const bundleId = simulator.bundle(status, status);
    expect(await carrier.getBundle(bundleId)).toEqual({ verdict, status });
  });
});

describe("a number that is ours", () => {
  test("goes where it is told to", async () => {
    simulator.stock(BERLIN);
    const { id } = await carrier.orderNumber(order(BERLIN));
    const voiceUrl = "https://ai.example.com/voice";
    await carrier.routeNumber(id, {
      voiceUrl,
      voiceFallbackUrl: null,
      statusCallbackUrl: `${voiceUrl}/status`,
    });
    expect(simulator.state.owned[0]).toMatchObject({
      voiceUrl,
      voiceFallbackUrl: "",
      statusCallback: `${voiceUrl}/status`,
    });
    await carrier.routeNumber(id, { voiceUrl: null, voiceFallbackUrl: null, statusCallbackUrl: null });
    expect(simulator.state.owned[0]).toMatchObject({ voiceUrl: "", statusCallback: "" });
  });

  test("is given back once; given back again, nothing happens", async () => {
    simulator.stock(BERLIN);
    const { id } = await carrier.orderNumber(order(BERLIN));
    await carrier.releaseNumber(id);
    await carrier.releaseNumber(id);
    expect(simulator.state.owned).toEqual([]);
    simulator.fail({ fault: { kind: "status", status: 500 }, times: 1 });
    await expect(carrier.releaseNumber(id)).rejects.toMatchObject({ code: "unavailable", retryable: true });
  });
});

test("wrong credentials are said plainly, and never appear in what is said", async () => {
  const wrong = carrierWith({ authToken: "wrong-token-8841" });
  const refusal = await refusalOf(wrong.findNumber(BERLIN));
  expect(refusal).toMatchObject({ code: "unauthorized", retryable: false, isAmbiguous: false });
  expect(JSON.stringify([refusal.message, refusal.said])).not.toContain("wrong-token");
  expect(refusal.said).toBe("20003: Authenticate");
});

test("Twilio's own hosts are two, a stand-in is one", async () => {
  const asked: string[] = [];
  const fetch = async (url: unknown) => {
    asked.push(String(url));
    return Response.json({ results: [], incoming_phone_numbers: [] });
  };
  const real = carrierWith({ baseUrl: "https://api.twilio.com/", fetch });
  await real.listPapers({ country: "DE", type: "toll_free" });
  await real.findByReference("a b");
  expect(asked).toEqual([
    "https://numbers.twilio.com/v2/RegulatoryCompliance/Regulations?IsoCountry=DE&NumberType=toll-free&PageSize=50",
    `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/IncomingPhoneNumbers.json?FriendlyName=a+b&PageSize=50`,
  ]);
});

async function refusalOf(work: Promise<unknown>): Promise<CarrierError> {
  return work.then(
    () => expect.fail("it was not refused"),
    (error) => error,
  );
}

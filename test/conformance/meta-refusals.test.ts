import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { startBench } from "./messenger-bench.ts";
import { graphCaller } from "./meta-caller.ts";

// The simulator is as strict as Meta: what our adapter never sends is refused here, so that a mistake in it would show.

const { meta, customer, connected } = await startBench();
const { errorOf } = graphCaller(meta);
afterAll(() => meta.close());

const register = { messaging_product: "whatsapp", pin: "123456" };
const hello = { messaging_product: "whatsapp", to: "16505551234", type: "text", text: { body: "Hi" } };

describe("a call is refused", () => {
  test.for<[string, object, number]>([
    ["without messaging_product", { pin: "123456" }, 100],
    ["with another messaging_product", { ...register, messaging_product: "telegram" }, 100],
    ["with a PIN that is too short", { ...register, pin: "12345" }, 100],
    ["with a PIN that is a number", { ...register, pin: 123456 }, 100],
    ["with a region that Meta does not have", { ...register, data_localization_region: "XX" }, 100],
    ["with a key that nobody knows", { ...register, colour: "green" }, 100],
  ])("to register %s", async ([, body, code]) => {
    const { number, token } = customer();
    expect(await errorOf("POST", `${number.id}/register`, token, body)).toMatchObject({ status: 400, code });
    expect(number.registrationsMs).toEqual([]);
  });

  test.for<[string, object, number]>([
    ["without messaging_product", { ...hello, messaging_product: undefined }, 100],
    ["to nobody", { ...hello, to: undefined }, 131008],
    ["to something that is no number", { ...hello, to: "Sheena" }, 131009],
    ["to a number as a number", { ...hello, to: 16505551234 }, 100],
    ["to a recipient that is a phone number", { ...hello, to: undefined, recipient: "16505551234" }, 131009],
    ["to a group", { ...hello, recipient_type: "group" }, 100],
    ["of a type that does not exist", { ...hello, type: "poem" }, 100],
    ["without the node of its type", { ...hello, text: undefined }, 131008],
    ["with the node of another type, too", { ...hello, image: { id: "1" } }, 100],
    ["with an empty text", { ...hello, text: { body: "" } }, 100],
    ["with a text node that has a stray key", { ...hello, text: { body: "Hi", colour: "green" } }, 100],
    ["with a context that names no message", { ...hello, context: {} }, 100],
    ["with a reference of 513 characters", { ...hello, biz_opaque_callback_data: "x".repeat(513) }, 100],
    ["with a key that nobody knows", { ...hello, colour: "green" }, 100],
    [
      "that was read, but never written",
      { messaging_product: "whatsapp", status: "read", message_id: "w" },
      131009,
    ],
  ])("to send a message %s", async ([, body, code]) => {
    const { number, token } = connected();
    const before = meta.sent.length;
    expect(await errorOf("POST", `${number.id}/messages`, token, body)).toMatchObject({ status: 400, code });
    expect(meta.sent.length).toBe(before);
  });

  test("with a typing indicator of another kind", async () => {
    const { number, token, wamid } = connected();
    const read = { messaging_product: "whatsapp", status: "read", message_id: wamid };
    const body = { ...read, typing_indicator: { type: "voice" } };
    expect(await errorOf("POST", `${number.id}/messages`, token, body)).toMatchObject({ code: 100 });
  });

  test("when it is not JSON, or says that it is something else", async () => {
    const { number, token } = customer();
    for (const [type, body] of [
      ["text/plain", JSON.stringify(register)],
      ["application/json", "{not json"],
      ["application/json", "[]"],
    ] as const) {
      const answer = await fetch(`${meta.url}/v25.0/${number.id}/register`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": type },
        body,
      });
      expect([type, answer.status]).toEqual([type, 400]);
    }
  });

  test("without a token, with one that Meta never gave, and with another customer's", async () => {
    const { business, token } = customer();
    expect(await errorOf("GET", business.wabaId, "")).toMatchObject({ status: 401, code: 104 });
    expect(await errorOf("GET", business.wabaId, "EAAmadeup")).toMatchObject({ status: 401, code: 190 });
    const other = customer();
    for (const path of [other.business.wabaId, other.number.id, `${other.business.wabaId}/phone_numbers`]) {
      expect(await errorOf("GET", path, token)).toMatchObject({ status: 400, code: 100, error_subcode: 33 });
    }
  });

  test("for a field, an edge, an object, a version or a path that does not exist", async () => {
    const { business, number, token } = customer();
    const wrong = [
      [`v25.0/${business.wabaId}?fields=id,colour`, 100],
      [`v25.0/${number.id}?fields=colour`, 100],
      [`v25.0/${business.wabaId}/colours`, 100],
      [`v25.0/${business.wabaId}/phone_numbers/1`, 100],
      ["v25.0/1234567890", 100],
      ["v20.0/1234567890", 2635],
      ["v99.0/1234567890", 2500],
      [`${business.wabaId}`, 2500],
    ] as const;
    for (const [path, code] of wrong) {
      const answer = await fetch(`${meta.url}/${path}`, { headers: { authorization: `Bearer ${token}` } });
      const { error } = z.object({ error: z.object({ code: z.number() }) }).parse(await answer.json());
      expect([path, answer.status, error.code]).toEqual([path, 400, code]);
    }
    expect(meta.requests.at(-1)?.path).toBe(`/${business.wabaId}`);
  });

  test("for media with another customer's token, or with a number that is another's", async () => {
    const { business, number, token } = customer();
    const other = customer();
    const media = meta.addMedia(business, Buffer.from("x"), "image/png");
    expect(await errorOf("GET", media.id, other.token)).toMatchObject({ code: 100, error_subcode: 33 });
    const path = `${media.id}?phone_number_id=${other.number.id}`;
    expect(await errorOf("GET", path, token)).toMatchObject({ code: 100 });
    const node = meta.mediaNode(media);
    const url = String(node.url);
    const status = async (wanted: string, bearer: string) =>
      (await fetch(wanted, { headers: { authorization: `Bearer ${bearer}` } })).status;
    expect(await status(url, token)).toBe(200);
    expect(await status(url, other.token)).toBe(403);
    expect(await status(url.replace(/hash=../, "hash=zz"), token)).toBe(404);
    expect(number.id).not.toBe(other.number.id);
  });
});

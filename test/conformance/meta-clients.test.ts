import { GraphApiError, WhatsAppClient } from "@kapso/whatsapp-cloud-api";
import { normalizeWebhook } from "@kapso/whatsapp-cloud-api/server";
import { afterAll, describe, expect, test } from "vitest";
import { WhatsAppAPI } from "whatsapp-api-js";
import { Text } from "whatsapp-api-js/messages/text";
import type { PostData } from "whatsapp-api-js/types";
import { webhookBytes, webhookSignature } from "../simulators/meta/webhook-sender.ts";
import { signal, startBench } from "./messenger-bench.ts";

// Clients that other people wrote for the real Meta drive the simulator, so that it is not only our own adapter that
// understands it. They prove the syntax of what they call, and nothing of Meta's behaviour.

const { meta, messenger, customer, connected } = await startBench();
afterAll(() => meta.close());

describe("@kapso/whatsapp-cloud-api", () => {
  const clientOf = (accessToken: string) =>
    new WhatsAppClient({ accessToken, baseUrl: meta.url, graphVersion: "v25.0" });

  test("sends, marks as read with the typing indicator, and reads the ids", async () => {
    const { number, token, person, wamid } = connected();
    const client = clientOf(token);
    const answer = await client.messages.sendText({
      phoneNumberId: number.id,
      to: person.phone,
      body: "Hi there",
      bizOpaqueCallbackData: "kapso-1",
    });
    expect(answer.messages[0]?.id).toBe(meta.sent.at(-1)?.wamid);
    expect(answer.contacts[0]).toMatchObject({ input: person.phone, waId: person.phone });
    expect(meta.sent.at(-1)).toMatchObject({
      body: { body: "Hi there" },
      biz_opaque_callback_data: "kapso-1",
    });
    const read = { phoneNumberId: number.id, messageId: wamid, typingIndicator: { type: "text" as const } };
    expect(await client.messages.markRead(read)).toMatchObject({ success: true });
    expect(meta.typing.at(-1)?.wamid).toBe(wamid);
  });

  test("sends to a BSUID, buttons, a reaction and a template", async () => {
    const { number, token, person, wamid } = connected();
    const client = clientOf(token);
    const phoneNumberId = number.id;
    await client.messages.sendText({ phoneNumberId, recipient: person.bsuid, body: "Hi" });
    expect(meta.sent.at(-1)).toMatchObject({ to: null, recipient: person.bsuid });
    await client.messages.sendInteractiveButtons({
      phoneNumberId,
      to: person.phone,
      bodyText: "Which?",
      buttons: [{ id: "a", title: "This" }],
    });
    await client.messages.sendReaction({
      phoneNumberId,
      to: person.phone,
      reaction: { messageId: wamid, emoji: "👍" },
    });
    meta.now.advance(25 * 3_600_000);
    const template = { name: "hello_world", language: { code: "en_US" } };
    await client.messages.sendTemplate({ phoneNumberId, to: person.phone, template });
    expect(meta.sent.slice(-3).map(({ type }) => type)).toEqual(["interactive", "reaction", "template"]);
  });

  test("verifies, registers and deregisters a number", async () => {
    const { number, token } = customer({ codeVerificationStatus: "NOT_VERIFIED" });
    const { phoneNumbers } = clientOf(token);
    const phoneNumberId = number.id;
    await phoneNumbers.requestCode({ phoneNumberId, codeMethod: "VOICE", language: "en_US" });
    await phoneNumbers.verifyCode({ phoneNumberId, code: number.verificationCode ?? "" });
    expect(await phoneNumbers.register({ phoneNumberId, pin: "123456" })).toMatchObject({ success: true });
    expect(number).toMatchObject({ status: "CONNECTED", pin: "123456" });
    expect(await phoneNumbers.deregister({ phoneNumberId })).toMatchObject({ success: true });
  });

  test("uploads, finds, downloads and deletes media", async () => {
    const { number, token } = customer();
    const { media } = clientOf(token);
    const file = new Blob(["a picture"], { type: "image/png" });
    const { id } = await media.upload({
      phoneNumberId: number.id,
      type: "image/png",
      file,
      fileName: "a.png",
    });
    expect(await media.get({ mediaId: id, phoneNumberId: number.id })).toMatchObject({
      id,
      mimeType: "image/png",
      messagingProduct: "whatsapp",
    });
    const bytes = await media.download({ mediaId: id, auth: "always" });
    expect(await new Response(bytes instanceof ArrayBuffer ? bytes : null).text()).toBe("a picture");
    expect(await media.delete({ mediaId: id })).toMatchObject({ success: true });
    await expect(media.get({ mediaId: id })).rejects.toBeInstanceOf(GraphApiError);
  });

  test.for([
    [{ code: 190, subcode: 463 }, "authorization"],
    [{ code: 131056 }, "throttling"],
    [{ code: 131047 }, "reengagementWindow"],
    [{ code: 133016 }, "phoneRegistration"],
    [{ code: 131000 }, "server"],
  ] as const)("reads %o as %s", async ([fault, category]) => {
    const { number, token, person } = connected();
    meta.fail({ path: `${number.id}/messages` }, fault);
    const error = await clientOf(token)
      .messages.sendText({ phoneNumberId: number.id, to: person.phone, body: "Hi" })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GraphApiError);
    expect(error).toMatchObject({ code: fault.code, category, fbtraceId: expect.stringMatching(/^A/) });
  });

  test("understands the webhooks", () => {
    const { number } = customer();
    const inbound = normalizeWebhook(
      meta.webhook.message(number, { from: null, bsuid: "US.1", name: "Sheena", body: "é" }),
    );
    expect(inbound).toMatchObject({
      phoneNumberId: number.id,
      contacts: [{ userId: "US.1", profile: { name: "Sheena" } }],
      messages: [{ type: "text", text: { body: "é" } }],
    });
    const status = normalizeWebhook(meta.webhook.status(number, "wamid.1", "delivered", { bsuid: "US.1" }));
    expect(status.statuses).toMatchObject([
      { id: "wamid.1", status: "delivered", recipientId: "16505551234", recipientUserId: "US.1" },
    ]);
    const echo = normalizeWebhook(meta.webhook.echo(number, { to: "16505551234" }));
    expect(JSON.stringify(echo)).toContain("A colleague answers this one.");
  });
});

describe("whatsapp-api-js", () => {
  /** It knows no other address than Meta's, so that is what it is told is here. */
  const clientOf = (token: string) =>
    new WhatsAppAPI({
      token,
      appSecret: meta.appSecret,
      webhookVerifyToken: meta.verifyToken,
      v: "v25.0",
      ponyfill: {
        fetch: (url, init) => fetch(String(url).replace("https://graph.facebook.com", meta.url), init),
      },
    });

  test("sends to a phone and to a BSUID, and marks as read", async () => {
    const { number, token, person, wamid } = connected();
    const client = clientOf(token);
    const answer = await client.sendMessage(number.id, { ...person }, new Text("Hi"), wamid, "waj-1");
    expect(answer).toMatchObject({ messages: [{ id: meta.sent.at(-1)?.wamid }] });
    expect(meta.sent.at(-1)).toMatchObject({
      to: person.phone,
      context: { message_id: wamid },
      biz_opaque_callback_data: "waj-1",
    });
    await client.sendMessage(number.id, { bsuid: person.bsuid }, new Text("Hi"));
    expect(meta.sent.at(-1)).toMatchObject({ to: null, recipient: person.bsuid });
    expect(await client.markAsRead(number.id, wamid, "text")).toEqual({ success: true });
    expect(meta.typing.at(-1)?.wamid).toBe(wamid);
  });

  test("uploads, finds, downloads and deletes media", async () => {
    const { number, token } = customer();
    const client = clientOf(token);
    const form = new FormData();
    form.set("file", new Blob(["a picture"], { type: "image/png" }));
    const uploaded = await client.uploadMedia(number.id, form);
    const { id = "" } = "id" in uploaded ? uploaded : {};
    const found = await client.retrieveMedia(id, number.id);
    expect(found).toMatchObject({ id, mime_type: "image/png", file_size: 9 });
    const { url = "" } = "url" in found ? found : {};
    expect(await (await client.fetchMedia(url)).text()).toBe("a picture");
    expect(await client.deleteMedia(id, number.id)).toEqual({ success: true });
  });

  test("verifies and understands the webhooks, and answers Meta's handshake", async () => {
    const { number } = customer();
    const client = clientOf("none");
    const heard: unknown[] = [];
    client.on.message = ({ phoneID, from, message, name }) =>
      void heard.push({ phoneID, from, message, name });
    client.on.status = ({ phoneID, id, status, phone }) => void heard.push({ phoneID, id, status, phone });
    for (const payload of [
      meta.webhook.message(number, { from: "16505551234", name: "Sheena", body: "é" }),
      meta.webhook.status(number, "wamid.1", "read"),
    ]) {
      const raw = webhookBytes(payload);
      const data: PostData = JSON.parse(raw.toString("utf8"));
      await client.post(data, raw.toString("utf8"), webhookSignature(raw, meta.appSecret));
    }
    expect(heard).toMatchObject([
      {
        phoneID: number.id,
        from: "16505551234",
        name: "Sheena",
        message: { type: "text", text: { body: "é" } },
      },
      { phoneID: number.id, id: "wamid.1", status: "read", phone: "16505551234" },
    ]);
  });
});

describe("both clients and the adapter", () => {
  test("say the same to Meta when they send the same text", async () => {
    const { number, token, person } = connected();
    const to = { phone: person.phone, bsuid: null };
    await messenger.send(token, number.id, to, { type: "text", text: { body: "Same" } }, "ref", signal);
    const ours = meta.requests.at(-1);
    await new WhatsAppClient({
      accessToken: token,
      baseUrl: meta.url,
      graphVersion: "v25.0",
    }).messages.sendText({
      phoneNumberId: number.id,
      to: person.phone,
      body: "Same",
      bizOpaqueCallbackData: "ref",
    });
    const theirs = meta.requests.at(-1);
    expect({ path: theirs?.path, body: theirs?.body }).toEqual({ path: ours?.path, body: ours?.body });
    expect(theirs?.headers.authorization).toBe(ours?.headers.authorization);
  });
});

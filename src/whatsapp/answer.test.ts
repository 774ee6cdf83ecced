import { beforeEach, describe, expect, test } from "vitest";
import { startChatServer } from "../../test/chat-support.ts";
import { startTestServer } from "../../test/support.ts";
import { newWhatsAppWorld, newWriter, QUICK, sharedMeta } from "../../test/whatsapp-support.ts";

const meta = await sharedMeta();
const server = await startChatServer(meta.environment(), { whatsapp: QUICK });
const TEXTS = { Delivery: "Parcels to Italy take four working days. Returns are free for thirty days." };

beforeEach(() => {
  server.model.chat.reset();
  server.model.chat.always({ texts: ["Four working days ", "[1]."] });
});

const newRoom = (settings?: object) => newWhatsAppWorld(server, meta, TEXTS, settings);

describe("a text", () => {
  test("is answered from the documents, with its source, and is in the conversation", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, "How long does delivery take?");
    expect(await room.answered(ada)).toEqual(["Four working days [1].\n\n*Sources*\n[1] Delivery"]);
    const conversation = await room.conversation(ada);
    expect(conversation).toMatchObject({ channel: "whatsapp", status: "open" });
    expect(conversation.messages).toMatchObject([
      { role: "user", text: "How long does delivery take?" },
      { role: "assistant", text: "Four working days [1].", status: "complete" },
    ]);
    expect(conversation.contact).toMatchObject({ name: "Ada Lovelace" });
  });

  test("is marked as read, with the typing indicator, while it is answered", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, { body: "Hello there", wamid: "wamid.typing" });
    await room.answered(ada);
    expect(meta.typing).toContainEqual(
      expect.objectContaining({ phoneNumberId: room.number.id, wamid: "wamid.typing" }),
    );
  });

  test("is answered also when it could not be marked as read", async () => {
    const room = await newRoom();
    const ada = newWriter();
    meta.fail({ path: new RegExp(`${room.number.id}/messages`) }, { code: 131000 }, 1);
    await room.write(ada, "How long?");
    expect(await room.answered(ada, 1, 15_000)).toHaveLength(1);
  }, 20_000);

  test("that comes in pieces is one question", async () => {
    const room = await newRoom();
    const ada = newWriter();
    for (const body of ["Hi", "how long does", "delivery take?"]) await room.write(ada, body);
    await room.answered(ada);
    await room.settled();
    expect(room.textsTo(ada)).toHaveLength(1);
    expect((await room.conversation(ada)).messages[0]).toMatchObject({
      role: "user",
      text: "Hi\nhow long does\ndelivery take?",
    });
  });

  test("goes on where the conversation was", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, "How long does delivery take?");
    await room.answered(ada);
    await room.write(ada, "And to Sicily?");
    await room.answered(ada, 2);
    const asked = server.model.chat.seen
      .at(-1)
      ?.messages.map(({ text }) => text)
      .join("\n");
    expect(asked).toContain("How long does delivery take?");
    expect((await room.conversation(ada)).messages).toHaveLength(4);
  });

  test("of somebody without a visible number is answered to Meta's id for them", async () => {
    const room = await newRoom();
    const ada = newWriter({ from: null });
    await room.write(ada, "How long does delivery take?");
    await room.answered(ada);
    const sent = meta.sent.find(({ phoneNumberId }) => phoneNumberId === room.number.id);
    expect(sent).toMatchObject({ to: null, recipient: ada.bsuid });
    expect(meta.dropped).toEqual([]);
  });
});

describe("without a language model", () => {
  test("the documents are quoted, in the language of the question", async () => {
    const bare = await startTestServer(meta.environment(), { whatsapp: QUICK });
    try {
      const room = await newWhatsAppWorld(bare, meta, { Spedizioni: "I pacchi arrivano in quattro giorni." });
      const ada = newWriter({ from: "393331234567" });
      await room.write(ada, "Quando arrivano i pacchi?");
      const [text] = await room.answered(ada);
      expect(text).toContain("> I pacchi arrivano in quattro giorni. [1]");
      expect(text).toContain("*Fonti*\n[1] Spedizioni");
      await room.write(ada, { type: "image", image: { id: "1", mime_type: "image/png" } });
      const [, second] = await room.answered(ada, 2);
      expect(second).toContain("Qui non posso aprire immagini");
    } finally {
      await bare.close();
    }
  }, 30_000);
});

describe("what is no text", () => {
  test.each([
    [
      "a button",
      {
        type: "interactive",
        interactive: { type: "button_reply", button_reply: { id: "b", title: "Opening hours" } },
      },
      "Opening hours",
    ],
    [
      "a row of a list",
      {
        type: "interactive",
        interactive: { type: "list_reply", list_reply: { id: "r", title: "Paris", description: "Shop" } },
      },
      "Paris: Shop",
    ],
    [
      "a form",
      {
        type: "interactive",
        interactive: {
          type: "nfm_reply",
          nfm_reply: { body: "Sent", response_json: '{"flow_token":"x","size":"L"}' },
        },
      },
      "size: L",
    ],
    [
      "a template's button",
      { type: "button", button: { payload: "more", text: "Tell me more" } },
      "Tell me more",
    ],
    [
      "a place",
      { type: "location", location: { latitude: 45.4, longitude: 9.2, name: "Duomo" } },
      "[location] Duomo (45.4, 9.2)",
    ],
    [
      "a contact",
      { type: "contacts", contacts: [{ name: { formatted_name: "Bo" }, phones: [{ phone: "+1 555" }] }] },
      "[contact] Bo +1 555",
    ],
    [
      "an order",
      {
        type: "order",
        order: {
          product_items: [{ product_retailer_id: "mug", quantity: 2, item_price: 9, currency: "EUR" }],
        },
      },
      "[order] 2 × mug (9 EUR)",
    ],
    [
      "a picture with a caption",
      { type: "image", image: { id: "1", mime_type: "image/heic", caption: "What is this?" } },
      "What is this?",
    ],
    [
      "a file with a caption",
      {
        type: "document",
        document: { id: "1", mime_type: "application/pdf", filename: "a.pdf", caption: "Is it right?" },
      },
      "Is it right?",
    ],
  ])("but can be said in words is answered: %s", async (_, message, text) => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, message);
    const [answer] = await room.answered(ada);
    expect(answer).toContain("Four working days");
    expect((await room.conversation(ada)).messages[0]).toMatchObject({ role: "user", text });
  });

  test.each([
    [
      "a picture",
      { type: "image", image: { id: "1", mime_type: "image/heic" } },
      "I cannot open pictures",
      "[image]",
    ],
    [
      "a video",
      { type: "video", video: { id: "1", mime_type: "video/mp4" } },
      "I cannot open pictures",
      "[video]",
    ],
    [
      "a sticker",
      { type: "sticker", sticker: { id: "1", mime_type: "image/webp", animated: true } },
      "I cannot open pictures",
      "[sticker]",
    ],
    [
      "a file",
      { type: "document", document: { id: "1", mime_type: "application/pdf", filename: "a.pdf" } },
      "I cannot open pictures",
      "[document: a.pdf]",
    ],
    [
      "a voice note",
      { type: "audio", audio: { id: "1", mime_type: "audio/ogg; codecs=opus", voice: true } },
      "I cannot listen to voice messages",
      "[audio]",
    ],
  ])("and cannot be understood here is said to be so: %s", async (_, message, said, stored) => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, message);
    const [answer] = await room.answered(ada);
    expect(answer).toContain(said);
    expect((await room.conversation(ada)).messages).toMatchObject([
      { role: "user", text: stored },
      { role: "assistant", text: answer },
    ]);
  });

  test("and that WhatsApp does not hand on is answered once a day", async () => {
    const room = await newRoom();
    const ada = newWriter();
    const message = { type: "unsupported", errors: [{ code: 131051 }] };
    await room.write(ada, message);
    expect(await room.answered(ada)).toEqual([expect.stringContaining("could not receive")]);
    await room.write(ada, message);
    await room.settled();
    expect(room.textsTo(ada)).toHaveLength(1);
  });

  test.each([
    ["a reaction", { type: "reaction", reaction: { message_id: "wamid.x", emoji: "👍" } }],
    ["a message to a group", { body: "Hello all", group_id: "g" }],
    ["a type of tomorrow", { type: "hologram", hologram: { id: "1" } }],
  ])("and is nobody's question is kept and left alone: %s", async (_, message) => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, message);
    await room.settled();
    expect((await room.api.get(`${room.path}/conversations`)).body.conversations).toEqual([]);
    expect(room.textsTo(ada)).toEqual([]);
  });

  test("but a picture is shown to the model", async () => {
    const room = await newRoom();
    const ada = newWriter();
    const picture = meta.addMedia(room.business, Buffer.from("picture"), "image/png");
    server.model.chat.always({ texts: ["A red lamp."] });
    await room.write(ada, {
      type: "image",
      image: { id: picture.id, mime_type: "image/png", caption: "What is this?" },
    });
    expect(await room.answered(ada)).toEqual(["A red lamp."]);
    expect(server.model.requests.at(-1)?.body.toString()).toContain(
      Buffer.from("picture").toString("base64"),
    );
    expect((await room.conversation(ada)).messages[0]).toMatchObject({
      text: "What is this?",
      attachments: [{ name: "picture.png", mime: "image/png", size_bytes: 7 }],
    });
  });
});

describe("a voice note", () => {
  test("is written down and answered where that is set up", async () => {
    const heard = await startChatServer(
      {
        ...meta.environment(),
        TRANSCRIPTION_BASE_URL: `${server.model.url}/v1`,
        TRANSCRIPTION_API_KEY: "sk-simulator-0123456789",
        TRANSCRIPTION_MODEL: "whisper-1",
      },
      { whatsapp: QUICK },
    );
    try {
      heard.model.chat.always({ texts: ["Heard."] });
      const room = await newWhatsAppWorld(heard, meta, TEXTS);
      const ada = newWriter();
      const note = meta.addMedia(room.business, Buffer.from("OggS voice"), "audio/ogg");
      await room.write(ada, { type: "audio", audio: { id: note.id, mime_type: "audio/ogg", voice: true } });
      expect(await room.answered(ada)).toEqual(["Heard."]);
      const [said] = (await room.conversation(ada)).messages;
      expect(said.text).not.toContain("[audio]");
      await room.write(ada, { type: "audio", audio: { id: "0", mime_type: "audio/ogg", voice: true } });
      const [, second] = await room.answered(ada, 2);
      expect(second).toContain("I cannot listen");
    } finally {
      await heard.close();
    }
  }, 30_000);
});

describe("a person who wants no more", () => {
  test.each(["STOP", "Basta!", "arrêt", "baja", "Stopp."])(
    "says %s, is told once, and START undoes it",
    async (word) => {
      const room = await newRoom();
      const ada = newWriter();
      await room.write(ada, word);
      expect(await room.answered(ada)).toEqual([expect.stringContaining("START")]);
      for (const body of ["Hello?", word]) {
        await room.write(ada, body);
        await room.settled();
      }
      expect(room.textsTo(ada)).toHaveLength(1);
      await room.write(ada, "start");
      expect(await room.answered(ada, 2)).toHaveLength(2);
      await room.write(ada, "How long?");
      expect(await room.answered(ada, 3)).toHaveLength(3);
      expect((await room.conversation(ada)).messages.map(({ role }: { role: string }) => role)).toEqual([
        "user",
        "assistant",
        "user",
        "user",
        "user",
        "assistant",
        "user",
        "assistant",
      ]);
    },
    20_000,
  );

  test("presses the button of a template", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, { type: "button", button: { payload: "STOP", text: "Not interested" } });
    expect(await room.answered(ada)).toEqual([expect.stringContaining("no more messages")]);
  });

  test("who asks to stop a delivery asks a question", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, "Can you stop my delivery?");
    expect(await room.answered(ada)).toEqual([expect.stringContaining("Four working days")]);
  });
});

describe("a human", () => {
  test("who answers on the phone is in the history and silences the assistant for that person", async () => {
    const room = await newRoom();
    const [ada, bob] = [newWriter(), newWriter()];
    await room.echo(ada, "This is Paul from the shop.");
    await room.settled();
    await room.write(ada, "Thanks Paul");
    await room.settled();
    expect(room.textsTo(ada)).toEqual([]);
    expect((await room.conversation(ada)).messages).toMatchObject([
      { role: "human", text: "This is Paul from the shop." },
      { role: "user", text: "Thanks Paul" },
    ]);
    await room.write(bob, "How long?");
    expect(await room.answered(bob)).toHaveLength(1);
  });

  test("who has taken over the conversation is not interrupted", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, "Hello");
    await room.answered(ada);
    const { id } = await room.conversation(ada);
    await room.api.post(`${room.path}/conversations/${id}/update`, { bot_paused: true });
    await room.write(ada, "Are you there?");
    await room.settled();
    expect(room.textsTo(ada)).toHaveLength(1);
    expect((await room.conversation(ada)).messages).toHaveLength(3);
  });

  test("is asked for by the assistant: the partner is told, and so is the person", async () => {
    const room = await newRoom();
    const ada = newWriter();
    server.model.chat.say({ toolCalls: [{ name: "request_handoff", arguments: { reason: "wants Paul" } }] });
    server.model.chat.say({ texts: ["One moment."] });
    await room.write(ada, "Let me talk to a person");
    expect(await room.answered(ada)).toEqual([
      "One moment.\n\nA member of our team will get back to you here.",
    ]);
    expect(await room.conversation(ada)).toMatchObject({ status: "handoff", handoff_reason: "wants Paul" });
  });
});

describe("what a person changes", () => {
  test("is changed in the history, and what they take back is gone from it", async () => {
    const room = await newRoom();
    const ada = newWriter();
    const before = newWriter();
    await room.write(before, "Unrelated");
    await room.write(ada, { body: "Are you open on Munday?", wamid: "wamid.edit-1" });
    await room.write(ada, { body: "My card is 4111.", wamid: "wamid.edit-2" });
    await room.answered(ada);
    const edit = {
      original_message_id: "wamid.edit-1",
      message: { type: "text", text: { body: "Are you open on Monday?" } },
    };
    await room.write(ada, { type: "edit", edit });
    await room.write(ada, { type: "revoke", revoke: { original_message_id: "wamid.edit-2" } });
    await room.settled();
    const { messages } = await room.conversation(ada);
    expect(messages[0].text).toBe("Are you open on Monday?\n[deleted]");
    expect(room.textsTo(ada)).toHaveLength(1);
  });

  test("before it is answered is answered as it is now", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, { body: "Opne?", wamid: "wamid.early" });
    await room.write(ada, {
      type: "edit",
      edit: { original_message_id: "wamid.early", message: { type: "text", text: { body: "Open?" } } },
    });
    await room.answered(ada);
    expect((await room.conversation(ada)).messages[0]).toMatchObject({ text: "Open?" });
  });
});

describe("what comes late", () => {
  test("is kept and not answered after an hour", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.write(ada, { body: "From before the outage", timestampMs: meta.now.ms() - 3_700_000 });
    await room.settled();
    expect(room.textsTo(ada)).toEqual([]);
    expect((await room.conversation(ada)).messages).toMatchObject([{ role: "user" }]);
  });

  test("to a suspended account is kept, and answered when it is resumed soon", async () => {
    const room = await newRoom();
    const ada = newWriter();
    await room.api.post(`/v1/accounts/${room.accountId}/suspend`);
    await room.write(ada, "How long?");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(room.textsTo(ada)).toEqual([]);
    await room.api.post(`/v1/accounts/${room.accountId}/resume`);
    expect(await room.answered(ada, 1, 25_000)).toHaveLength(1);
  }, 40_000);
});

describe("when the model fails", () => {
  test("for good, the person is told so at once", async () => {
    const room = await newRoom();
    const ada = newWriter();
    server.model.chat.always({ failure: { kind: "context-length" } });
    await room.write(ada, "How long?");
    expect(await room.answered(ada)).toEqual([expect.stringContaining("cannot answer just now")]);
    expect((await room.conversation(ada)).messages).toMatchObject([
      { role: "user", text: "How long?" },
      { role: "assistant" },
    ]);
  });

  test("for a moment, in the middle of its answer, only the whole answer is stored and sent", async () => {
    const room = await newRoom();
    const ada = newWriter();
    const broken = { texts: ["Half ", "an ", "answer"], failure: { kind: "cut", afterPieces: 2 } } as const;
    server.model.chat.say(broken, broken);
    await room.write(ada, "How long?");
    expect(await room.answered(ada)).toEqual([expect.stringContaining("Four working days")]);
    expect((await room.conversation(ada)).messages).toMatchObject([
      { role: "user", text: "How long?" },
      { role: "assistant", text: "Four working days [1].", status: "complete" },
    ]);
  });

  test("because it takes no pictures, the rest of the message is answered without them", async () => {
    const room = await newRoom();
    const ada = newWriter();
    // The simulated model refuses one without a byte.
    const picture = meta.addMedia(room.business, Buffer.alloc(0), "image/png");
    await room.write(ada, {
      type: "image",
      image: { id: picture.id, mime_type: "image/png", caption: "How long?" },
    });
    const [answer] = await room.answered(ada);
    expect(answer).toContain("Four working days");
    expect(answer).toContain("I cannot open pictures");
  });
});

import { describe, expect, test } from "vitest";
import { turnIdOf } from "./answer-turn-id.ts";
import { readEcho, readInbound } from "./inbound.ts";
import { languageFor } from "./language.ts";
import { wishOf } from "./opt-out.ts";

const AT = new Date("2026-05-01T12:00:00Z");

describe("a stored message", () => {
  test("says who wrote it, by the message first and by the contact beside it else", () => {
    const message = {
      id: "wamid.1",
      from: "+39 333 1234567",
      timestamp: "1777000000",
      type: "text",
      text: { body: "Hi" },
    };
    const contact = { wa_id: "1", user_id: "IT.9", profile: { name: " Ada " } };
    expect(readInbound({ message, contact }, AT)).toMatchObject({
      person: { bsuid: "IT.9", phone: "393331234567", name: "Ada" },
      wamid: "wamid.1",
      at: new Date(1_777_000_000_000),
      content: { kind: "text", text: "Hi" },
    });
  });

  test("from the future was sent when it came, and so was one without a time", () => {
    const message = { id: "wamid.1", from: "393331234567", type: "text", text: { body: "Hi" } };
    expect(readInbound({ message }, AT)?.at).toEqual(AT);
    expect(readInbound({ message: { ...message, timestamp: "4000000000" } }, AT)?.at).toEqual(AT);
  });

  test.each([
    [null],
    [{}],
    [{ message: "text" }],
    [{ message: { type: "text" } }],
    [{ message: { id: 7, type: "text" } }],
  ])("that is nothing Meta documents is nothing: %j", (raw) => {
    expect(readInbound(raw, AT)).toBeUndefined();
  });

  test.each([
    ["text", { text: {} }],
    ["text", { text: { body: "  " } }],
    ["interactive", { interactive: { type: "call_permission_reply" } }],
    ["order", { order: 3 }],
    ["contacts", { contacts: [] }],
    ["location", { location: {} }],
    ["edit", {}],
    ["revoke", {}],
    ["system", { system: { type: "customer_identity_changed" } }],
    ["request_welcome", {}],
  ])("of type %s with nothing in it is left alone: %j", (type, node) => {
    const read = readInbound({ message: { id: "w", from: "393331234567", type, ...node } }, AT);
    expect(read?.content).toMatchObject({ kind: "nothing" });
  });

  test("of a human on the phone is about whom it went to", () => {
    const message = { id: "w", from: "15550000000", to: "393331234567", type: "text", text: { body: "Hi" } };
    expect(readEcho({ message }, AT)?.person).toEqual({ bsuid: null, phone: "393331234567", name: null });
  });
});

test("a turn's id follows from its last message, and from nothing else", () => {
  expect(turnIdOf({ id: 1 })).toBe(turnIdOf({ id: 1 }));
  expect(turnIdOf({ id: 1 })).not.toBe(turnIdOf({ id: 2 }));
  expect(turnIdOf({ id: 1 })).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});

test("a word that asks for silence is known in five languages, and only when it is alone", () => {
  for (const word of [
    "STOP",
    "stop.",
    "  Basta ",
    "ARRET",
    "Arrêter",
    "baja",
    "Stopp!",
    "Abmelden",
    "UNSUBSCRIBE",
  ])
    expect(wishOf(word)).toBe("stop");
  for (const word of ["start", "START!", "unstop"]) expect(wishOf(word)).toBe("start");
  for (const text of ["stop it please", "where is the stop?", "starter", ""]) expect(wishOf(text)).toBeNull();
});

describe("the language for a person", () => {
  const nobody = { phone: null, bsuid: null };
  test.each([
    ["Wie lange dauert die Lieferung?", [], nobody, "de"],
    ["[image]", ["Quanto costa la spedizione?"], nobody, "it"],
    ["[audio]", [], { phone: "33612345678", bsuid: null }, "fr"],
    ["[audio]", [], { phone: null, bsuid: "ES.123" }, "es"],
    ["[audio]", [], nobody, "en"],
    ["How long does it take?", [], { phone: "393331234567", bsuid: null }, "en"],
  ] as const)("is told by %j, then %j, then where they are", (text, before, person, expected) => {
    expect(languageFor(text, before, person)).toBe(expected);
  });
});

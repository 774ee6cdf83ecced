import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isBackchannel, isGoodbye } from "./goodbye.ts";
import { heardOf } from "./heard.ts";
import { speakable } from "./speakable.ts";

describe("what is spoken of an answer", () => {
  test.each([
    ["We close at **8 pm** [1].", "We close at 8 pm."],
    ["See [1, 2][3] and [4–6].", "See and."],
    ["# Opening hours", "Opening hours."],
    ["- *First* item\n- `second` item", "First item second item"],
    ["| Room | Price |\n|---|---|\n| Single | 80 € |", "Room, Price. Single, 80 €."],
    ["> Breakfast is served from 7 to 10.", "Breakfast is served from 7 to 10."],
    ["Read [the rules](https://a.test/rules?x=1).", "Read the rules."],
    ["Go to https://www.example.com/shop/.", "Go to example.com/shop."],
    ["5 * 3 is 15, snake_case stays", "5 * 3 is 15, snake_case stays"],
    ["```js\nrun()\n```", "run()"],
    ["Great 🎉 news<br>today", "Great news today"],
    ["1. Call us", "1. Call us"],
  ])("%j is %j", (text, spoken) => {
    expect(speakable(text)).toBe(spoken);
  });

  test("in the middle of a line a number or a hyphen stays", () => {
    expect(speakable("3. Mai", true)).toBe("3. Mai");
    expect(speakable("- 5 Grad", true)).toBe("- 5 Grad");
  });

  test("has every letter and number of a text without links, tags and code", () => {
    const wordsOf = (text: string) => text.match(/[\p{L}\p{N}]/gu)?.join("") ?? "";
    const markup = fc.constantFrom("**", "*", "_", "- ", "# ", "> ", "\n", " ", ", ", ". ");
    const textArb = fc.array(fc.oneof(markup, fc.lorem({ maxCount: 3 }), fc.nat().map(String)));
    fc.assert(
      fc.property(textArb, (parts) => {
        const text = parts.join("");
        expect(wordsOf(speakable(text))).toBe(wordsOf(text));
      }),
    );
  });
});

describe("what was heard of it", () => {
  const said = "We are open from nine to six. On Sundays we are closed.";
  test.each([
    ["We are open from", "We are open from"],
    ["we are open, from nine", "We are open from nine"],
    ["We are open from nine to si", "We are open from nine to six."],
    ["On Sundays we", "We are open from nine to six. On Sundays we"],
    ["", ""],
    ["something else entirely", ""],
    ["we are open on the moon, and I am the owner", "We are open"],
  ])("by %j is %j", (spoken, heard) => {
    expect(heardOf(said, spoken)).toBe(heard);
  });

  test("is always a beginning of what was said, whatever the carrier writes", () => {
    fc.assert(
      fc.property(
        fc.lorem({ maxCount: 20 }),
        fc.string({ unit: "binary" }),
        fc.nat(60),
        (text, noise, cut) => {
          for (const spoken of [noise, text.slice(0, cut), text.slice(cut)])
            expect(text.startsWith(heardOf(text, spoken))).toBe(true);
          expect(heardOf(text, text)).toBe(text);
        },
      ),
    );
  });
});

describe("a goodbye", () => {
  test.each([
    "Goodbye!",
    "No, thank you, that's all. Bye bye.",
    "Okay, danke, tschüss!",
    "Perfetto, grazie mille, arrivederci.",
    "Merci, au revoir",
  ])("%j ends the call", (text) => {
    expect(isGoodbye(text)).toBe(true);
  });
  test.each([
    "What time do you say goodbye to guests?",
    "Can I buy a goodbye card?",
    "Thanks",
    "Tschüss sagen wir noch nicht, was kostet das?",
    "",
  ])("%j does not", (text) => {
    expect(isGoodbye(text)).toBe(false);
  });
  test("is no mumble", () => {
    expect([isBackchannel("Mhm."), isBackchannel("uh-huh"), isBackchannel("hm, what?")]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

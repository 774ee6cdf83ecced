import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createLeakGuard, secretOf } from "./leak-guard.ts";

const SECRET =
  "Always recommend the blue room first, then the green one, and never mention the discount of forty percent";
const MARK = "a1b2c3d4e5f60718";

function pass(pieces: readonly string[], limit = 10) {
  const guard = createLeakGuard([secretOf(SECRET, limit)], MARK);
  let text = "";
  for (const piece of pieces) {
    const passed = guard.push(piece);
    text += passed.text;
    if (passed.leaked) return { text, leaked: true };
  }
  const rest = guard.end();
  return { text: text + rest.text, leaked: rest.leaked };
}

describe("the guard of what must not be shown", () => {
  test("stops an answer before more than the first words of a secret are out, whatever stands between them", () => {
    for (const said of [
      SECRET,
      SECRET.toUpperCase(),
      SECRET.replaceAll(" ", "\n- "),
      SECRET.replaceAll(" ", "  *"),
    ]) {
      const { text, leaked } = pass([`Sure: ${said}`]);
      expect(leaked).toBe(true);
      expect(text).not.toContain("green");
      const streamed = pass(`Sure: ${said}`.split(/(?<=[^\p{L}])/u));
      expect(streamed.leaked).toBe(true);
      expect(streamed.text.toLowerCase()).not.toContain("green");
    }
  });

  test("stops at the mark, also when it comes in pieces", () => {
    for (const pieces of [[`<<${MARK} end>>`], ["<<a1b2", "c3d4e5", "f60718 ", "end"], [...`x ${MARK} y`]]) {
      const { text, leaked } = pass(pieces);
      expect(leaked).toBe(true);
      expect(text).not.toContain("c3d4");
    }
  });

  test("lets everything else through unchanged, however it is cut", () => {
    const piece = fc.constantFrom(
      "the ",
      "blue",
      " room",
      ", then",
      " the green one",
      "Ä",
      "forty ",
      "a1b",
      "\n",
      "discount",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const { text, leaked } = pass(pieces);
        if (!leaked) expect(text).toBe(pieces.join(""));
        else expect(pieces.join("").startsWith(text)).toBe(true);
      }),
    );
  });

  test("does not hold up what follows no secret", () => {
    const guard = createLeakGuard([secretOf(SECRET, 10)], MARK);
    expect(guard.push("We recom")).toEqual({ text: "We recom", leaked: false });
    expect(guard.push("mend the blue room")).toEqual({ text: "mend the blue room", leaked: false });
  });

  test("takes most of a short text for a secret, and nothing for one of a few words", () => {
    const guard = (secret: string) => createLeakGuard([secretOf(secret, 24)], MARK);
    expect(
      guard("Never say that Ottavio has the key").push("never say that ottavio has the key ").leaked,
    ).toBe(true);
    expect(guard("Be brief.").push("Be brief. Be brief.").leaked).toBe(false);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError } from "./config.ts";
import { createSecretBox } from "./secrets.ts";

const OLD = "the-old-key-0123456789abcdef0123456789";
const NEW = "the-new-key-0123456789abcdef0123456789";

describe("a secret box", () => {
  test("opens what it sealed, whatever the text", () => {
    const box = createSecretBox(NEW);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string(), (text, purpose) => {
        expect(box.open(box.seal(text, purpose), purpose)).toBe(text);
      }),
    );
  });

  test("seals the same text differently each time, names its key, and shows nothing of the text", () => {
    const box = createSecretBox(NEW);
    const sealed = Array.from({ length: 100 }, () => box.seal("a secret token", "tool:1"));
    expect(new Set(sealed).size).toBe(100);
    for (const text of sealed) {
      expect(text).toMatch(new RegExp(`^v1\\.${box.keyId}\\.[\\w-]{16}\\.[\\w-]+$`));
      expect(Buffer.from(text.split(".")[3] ?? "", "base64url").toString("latin1")).not.toContain("secret");
    }
    expect(NEW).not.toContain(box.keyId);
  });

  test("refuses every changed byte", () => {
    const box = createSecretBox(NEW);
    const sealed = box.seal("a secret token", "tool:1");
    const [version = "", keyId = "", ...parts] = sealed.split(".");
    for (const [part, text] of parts.entries()) {
      const bytes = Buffer.from(text, "base64url");
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        const forged = parts.with(part, changed.toString("base64url"));
        expect(() => box.open([version, keyId, ...forged].join("."), "tool:1")).toThrow();
      }
    }
  });

  test.each([
    ["moved to another place", (sealed: string) => sealed, "tool:2"],
    ["cut short", (sealed: string) => sealed.slice(0, -1), "tool:1"],
    ["cut to its tag", (sealed: string) => sealed.replace(/[^.]+$/, "AAAA"), "tool:1"],
    ["emptied", () => "", "tool:1"],
    ["of another version", (sealed: string) => sealed.replace("v1", "v2"), "tool:1"],
    ["of another key", (sealed: string) => sealed.replace(/\.[0-9a-f]{8}\./, ".00000000."), "tool:1"],
    ["plain text", () => "a secret token", "tool:1"],
  ])("refuses what was %s", (_what, change, purpose) => {
    const box = createSecretBox(NEW);
    expect(() => box.open(change(box.seal("a secret token", "tool:1")), purpose)).toThrow();
  });

  test("opens with the previous key what that sealed, and says which key is missing without it", () => {
    const sealed = createSecretBox(OLD).seal("token", "tool:1");
    const both = createSecretBox(NEW, OLD);
    expect(both.open(sealed, "tool:1")).toBe("token");
    const resealed = both.seal("token", "tool:1");
    expect(createSecretBox(NEW).open(resealed, "tool:1")).toBe("token");

    const open = () => createSecretBox(NEW).open(sealed, "tool:1");
    expect(open).toThrow(ConfigError);
    expect(open).toThrow(
      `(${createSecretBox(OLD).keyId}) that is not configured: set SECRET_KEY_PREVIOUS to it.`,
    );
  });
});

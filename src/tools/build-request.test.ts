import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildRequest } from "./build-request.ts";

const declared = (...names: string[]) => ({
  type: "object",
  properties: Object.fromEntries(names.map((name) => [name, {}])),
});

function urlOf(url: string, args: Record<string, unknown>): string {
  const built = buildRequest({ method: "GET", url }, {}, args);
  return "url" in built ? built.url : `refused: ${built.problem}`;
}

function bodyOf(body: unknown, args: Record<string, unknown>, method: "POST" | "DELETE" = "POST"): unknown {
  const parameters = declared("a", "b", "c");
  const template = JSON.parse(JSON.stringify(body) ?? "null");
  const http = { method, url: "https://e.com/{c}", ...(body === undefined ? {} : { body: template }) };
  const built = buildRequest(http, parameters, { c: "x", ...args });
  return "url" in built && built.body !== undefined ? JSON.parse(built.body) : undefined;
}

describe("a value in the path", () => {
  test("is encoded and stays one segment", () => {
    expect(urlOf("https://e.com/o/{a}/x", { a: "A 1?b#c&d=é🍮" })).toBe(
      "https://e.com/o/A%201%3Fb%23c%26d%3D%C3%A9%F0%9F%8D%AE/x",
    );
    expect(urlOf("https://e.com/{a}-{b}.json", { a: 1, b: true })).toBe("https://e.com/1-true.json");
    expect(urlOf("https://e.com/{a}", { a: "100%" })).toBe("https://e.com/100%25");
    expect(urlOf("https://e.com/{a}", { a: "..." })).toBe("https://e.com/...");
  });

  test.each([
    ["", "empty"],
    ["..", '".."'],
    [".", '".."'],
    ["a/b", '"/"'],
    ["../admin", '"/"'],
    ["a\\b", '"/"'],
    ["%2e%2e", "encoded"],
    ["..%2fadmin", "encoded"],
    ["%252e", "encoded"],
    ["a\nb", "control"],
    [null, "empty"],
    [undefined, "empty"],
    [{ x: 1 }, "empty"],
    [["a"], "empty"],
  ])("may not be %j", (a, said) => {
    expect(urlOf("https://e.com/o/{a}/x", { a })).toMatch(
      /^refused: The arguments do not fit into the address/,
    );
    expect(urlOf("https://e.com/o/{a}/x", { a })).toContain(said);
  });

  test("may not make a dot segment with what stands beside it", () => {
    expect(urlOf("https://e.com/o/{a}{b}/x", { a: ".", b: "." })).toContain("refused");
    expect(urlOf("https://e.com/o/.{a}/x", { a: "." })).toContain("refused");
    expect(urlOf("https://e.com/o/%2e{a}/x", { a: "." })).toContain("refused");
  });

  test("that an object inherits is none", () => {
    expect(urlOf("https://e.com/{constructor}", {})).toContain("refused");
  });

  test("never changes host, depth or query, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), (a, q) => {
        const built = urlOf("https://e.com:8443/v1/{a}/end?q={q}&k=1", { a, q });
        if (built.startsWith("refused")) return;
        const url = new URL(built);
        expect(url.host).toBe("e.com:8443");
        expect(url.pathname.split("/")).toHaveLength(4);
        expect(decodeURIComponent(url.pathname.split("/")[2] ?? "")).toBe(a.toWellFormed());
        expect([...url.searchParams]).toEqual([
          ["q", q.toWellFormed()],
          ["k", "1"],
        ]);
        expect(url.hash).toBe("");
      }),
    );
  });

  test("may not make the address longer than servers take", () => {
    expect(urlOf("https://e.com/{a}", { a: "x".repeat(9_000) })).toContain("too long");
  });
});

describe("a value in the query", () => {
  test("is encoded, left out when it is absent, and repeated when there are several", () => {
    const url = "https://e.com/s?q={a}&lang={b}&fixed=1&t=x-{c}";
    expect(urlOf(url, { a: "a&b=c d" })).toBe("https://e.com/s?q=a%26b%3Dc%20d&fixed=1&t=x-");
    expect(urlOf(url, { a: ["1", 2], b: null, c: "/.." })).toBe("https://e.com/s?q=1&q=2&fixed=1&t=x-%2F..");
    expect(urlOf("https://e.com/s?f={a}", { a: { x: [1] } })).toBe(
      "https://e.com/s?f=%7B%22x%22%3A%5B1%5D%7D",
    );
    expect(urlOf("https://e.com/s?f={a}", {})).toBe("https://e.com/s");
  });
});

describe("a body", () => {
  test("keeps the types of what stands alone, and writes the rest into its texts", () => {
    const body = { n: "{a}", list: ["{b}", 1], text: "Hello {a}, {b}!", other: "{z}", deep: { x: "{c}" } };
    expect(bodyOf(body, { a: 5, b: { k: null } })).toEqual({
      n: 5,
      list: [{ k: null }, 1],
      text: 'Hello 5, {"k":null}!',
      other: "{z}",
      deep: { x: "x" },
    });
  });

  test("leaves out what was not given", () => {
    expect(bodyOf({ n: "{a}", list: ["{b}", 1], text: "x{b}" }, {})).toEqual({ list: [1], text: "x" });
    expect(bodyOf("{a}", {})).toBeNull();
  });

  test("is the arguments that the address does not use, when there is no template", () => {
    expect(bodyOf(undefined, { a: 1, b: [2] })).toEqual({ a: 1, b: [2] });
    expect(bodyOf(undefined, { a: 1 }, "DELETE")).toBeUndefined();
    expect(bodyOf({ a: "{a}" }, { a: 1 }, "DELETE")).toEqual({ a: 1 });
  });

  test("cannot be broken out of", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (a) => {
        expect(bodyOf({ alone: "{a}", inside: "<{a}>" }, { a })).toEqual({ alone: a, inside: `<${a}>` });
      }),
    );
  });
});

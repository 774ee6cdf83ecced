import { describe, expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";
import { checkArguments } from "./check-arguments.ts";

const order = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: { id: { type: "string", minLength: 2 }, n: { type: "integer" }, kind: { enum: ["a", "b"] } },
  required: ["id"],
  additionalProperties: false,
};

describe("arguments", () => {
  test("that fit are passed on as they are", () => {
    const args = { id: "A1", n: 2 };
    expect(checkArguments(order, args)).toEqual({ fits: true, arguments: args });
  });

  test.each([
    [{}, "the arguments must have required property 'id'"],
    [{ id: 5 }, "/id must be string"],
    [{ id: "A1", n: "2" }, "/n must be integer"],
    [{ id: "A1", kind: "c" }, '/kind must be one of ["a","b"]'],
    [{ id: "A1", x: 1 }, 'the arguments must not have "x"'],
    [{ id: "", n: 1.5 }, "/id must NOT have fewer than 2 characters; /n must be integer"],
    ['{"id":', "not valid JSON"],
    [[], "must be a JSON object"],
    [5, "must be a JSON object"],
    [{ id: "x".repeat(70_000) }, "larger than the 65536 bytes"],
  ])("such as %j are refused with the place", (args, said) => {
    expect(checkArguments(order, args)).toMatchObject({
      fits: false,
      code: "invalid_arguments",
      message: expect.stringContaining(said),
    });
  });

  test("that are nested without end are refused", () => {
    const args: Record<string, unknown> = {};
    let inner = args;
    for (let depth = 0; depth < 50_000; depth += 1) {
      const next = {};
      inner.a = next;
      inner = next;
    }
    expect(checkArguments({ type: "object" }, args)).toMatchObject({
      fits: false,
      code: "invalid_arguments",
    });
    expect(canonicalJson(args)).toBe("null");
  });
});

describe("a schema", () => {
  test("that refers to itself is followed no deeper than the stack goes", () => {
    const tree = { type: "object", properties: { a: { $ref: "#" } } };
    const args = JSON.parse(`${'{"a":'.repeat(9_000)}{}${"}".repeat(9_000)}`);
    expect(checkArguments(tree, args)).toMatchObject({ fits: false, code: "invalid_arguments" });
    expect(checkArguments(tree, { a: { a: {} } })).toMatchObject({ fits: true });
  });

  test("whose pattern backtracks for ever is stopped", () => {
    const evil = { type: "object", properties: { a: { type: "string", pattern: "^(a+)+$" } } };
    const begun = performance.now();
    expect(checkArguments(evil, { a: `${"a".repeat(60)}!` })).toMatchObject({
      fits: false,
      message: expect.stringContaining("took too long"),
    });
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(checkArguments(evil, { a: "aaa" })).toMatchObject({ fits: true });
  });

  test("that does not compile is the tool's fault, unless a server wrote it", () => {
    const broken = { type: "object", properties: { a: { $ref: "#/nowhere" } } };
    expect(checkArguments(broken, {})).toMatchObject({ fits: false, code: "misconfigured" });
    expect(checkArguments(broken, { a: 1 }, { foreign: true })).toEqual({ fits: true, arguments: { a: 1 } });
  });

  test("with the id of another one is its own", () => {
    const inner = (type: string) => ({ z: { $ref: "inner" }, y: { $id: "inner", type } });
    const one = { $id: "https://e.com/s", type: "object", required: ["a"], properties: inner("string") };
    const two = { $id: "https://e.com/s", type: "object", required: ["b"], properties: inner("number") };
    for (const schema of [one, two, one]) {
      const key = schema.required[0] ?? "";
      const z = schema === two ? 1 : "1";
      expect(checkArguments(schema, { [key]: 1, z })).toMatchObject({ fits: true });
      expect(checkArguments(schema, { z: 1 })).toMatchObject({ fits: false, code: "invalid_arguments" });
    }
  });
});

test("canonical JSON is that of RFC 8785", () => {
  const value = {
    numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 1e-27],
    b: undefined,
    "€": "\u000f\n",
    10: null,
    9: true,
  };
  expect(canonicalJson(value)).toBe(
    '{"10":null,"9":true,"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"€":"\\u000f\\n"}',
  );
  expect(canonicalJson({ a: { c: 1, b: 2 } })).toBe(canonicalJson({ a: { b: 2, c: 1 } }));
  expect(canonicalJson(undefined)).toBe("null");
});

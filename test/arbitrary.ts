import fc from "fast-check";
import { z } from "zod";

type JsonSchema = Readonly<Record<string, unknown>>;

const DEPTH_MAX = 4;

/** Values that a schema lets through, mostly: what it says beyond JSON Schema (`refine`) is left to chance. */
export function valuesOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  const root: JsonSchema = { ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) };
  return arbitraryOf(root, root, 0);
}

/** The same with one to three wrong places: another type, a value out of bounds, a key too many or too few. */
export function spoilt(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const spoiling = fc.record({
    place: fc.nat(),
    how: fc.constantFrom("replace", "remove", "add", "wrap"),
    junk: hostileValue,
  });
  return fc
    .tuple(values, fc.array(spoiling, { minLength: 1, maxLength: 3 }))
    .map(([value, spoilings]) => spoilings.reduce<unknown>((whole, spoil) => spoilAt(whole, spoil), value));
}

/** Text that has broken servers before. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "",
    " ",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "\udc00\ud800",
    "\ufeff",
    "\u202e",
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "null",
    "NaN",
    "-0",
    "1e309",
    "9007199254740993",
    "2147483648",
    "'; drop table accounts; --",
    "{{7*7}}",
    "{",
    "{}",
    "{a}{b",
    "../../etc/passwd",
    "%00",
    "%",
    "0000-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
    "2026-02-30T00:00:00.000Z",
    "http://[::1",
    "https://a:b@c",
    "https://localhost:99999",
  ),
  fc.integer({ min: 100, max: 60_000 }).map((length) => "x".repeat(length)),
  fc.integer({ min: 50, max: 5_000 }).map((length) => "\u{1f600}".repeat(length)),
);

const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom(null, true, false, 0, -0, -1, 1.5, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 53, 1e21, [], {}),
  fc.jsonValue({ maxDepth: 3, noUnicodeString: false }),
  fc.integer({ min: 10, max: 300 }).map(nested),
  fc.dictionary(
    fc.constantFrom("constructor", "toString", "hasOwnProperty", "", "$ref", "length", "type"),
    fc.anything(JSON_LIKE()),
  ),
  fc.array(fc.constant("x"), { minLength: 300, maxLength: 600 }),
);

function JSON_LIKE(): fc.ObjectConstraints {
  return { values: [fc.string(), fc.integer(), fc.constant(null)], maxDepth: 2 };
}

function arbitraryOf(schema: JsonSchema, root: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  if (typeof schema.$ref === "string") {
    return depth > DEPTH_MAX ? fc.constant(null) : arbitraryOf(resolve(schema.$ref, root), root, depth + 1);
  }
  if ("const" in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  const forms = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(forms))
    return fc.oneof(...forms.map((form) => arbitraryOf(asSchema(form), root, depth + 1)));
  if (Array.isArray(schema.allOf) && schema.type === undefined)
    return arbitraryOf(asSchema(schema.allOf[0]), root, depth + 1);
  switch (schema.type) {
    case "string":
      return stringOf(schema);
    case "integer":
      return fc.integer({
        min: Math.max(numberOr(schema.minimum, -100), -(2 ** 31)),
        max: Math.min(numberOr(schema.maximum, 1_000_000), 2 ** 31 - 1),
      });
    case "number":
      return fc.double({
        min: numberOr(schema.minimum, -1e6),
        max: numberOr(schema.maximum, 1e6),
        noNaN: true,
      });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(arbitraryOf(asSchema(schema.items), root, depth + 1), {
        minLength: Math.min(numberOr(schema.minItems, 0), 5),
        maxLength: Math.min(numberOr(schema.maxItems, 3), 3),
      });
    case "object":
      return objectOf(schema, root, depth);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function objectOf(schema: JsonSchema, root: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const properties = Object.entries(asSchema(schema.properties));
  const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
  if (properties.length === 0) {
    const values =
      typeof schema.additionalProperties === "object"
        ? arbitraryOf(asSchema(schema.additionalProperties), root, depth + 1)
        : fc.jsonValue({ maxDepth: 1 });
    const names =
      typeof schema.propertyNames === "object" ? stringOf(asSchema(schema.propertyNames)) : fc.string();
    return fc.dictionary(names, values, { maxKeys: 3 });
  }
  return fc.record(
    Object.fromEntries(
      properties.map(([name, inner]) => [name, arbitraryOf(asSchema(inner), root, depth + 1)]),
    ),
    { requiredKeys: required },
  );
}

function stringOf(schema: JsonSchema): fc.Arbitrary<string> {
  if (schema.format === "uuid") return fc.uuid();
  if (schema.format === "date-time")
    return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  const pattern = typeof schema.pattern === "string" ? matching(schema.pattern) : undefined;
  const minLength = numberOr(schema.minLength, 0);
  const maxLength = Math.max(minLength, Math.min(numberOr(schema.maxLength, 30), 30));
  const usual = pattern ?? fc.string({ unit: "grapheme", minLength, maxLength });
  const url = fc.webUrl({ withQueryParameters: true });
  return fc.oneof(
    { weight: 6, arbitrary: usual },
    { weight: 1, arbitrary: url },
    { weight: 1, arbitrary: hostileText },
  );
}

function matching(pattern: string): fc.Arbitrary<string> | undefined {
  try {
    return fc.stringMatching(new RegExp(pattern), { maxLength: 60 });
  } catch {
    return undefined;
  }
}

interface Spoiling {
  place: number;
  how: string;
  junk: unknown;
}

/** Applies one spoiling to the place that its number picks among all that the value has. */
function spoilAt(root: unknown, { place, how, junk }: Spoiling): unknown {
  const parents: { holder: Record<string, unknown>; key: string }[] = [];
  const whole = { "": structuredClone(root) };
  const stack: Record<string, unknown>[] = [whole];
  for (let holder = stack.pop(); holder !== undefined; holder = stack.pop()) {
    for (const [key, value] of Object.entries(holder)) {
      parents.push({ holder, key });
      if (isHolder(value)) stack.push(value);
    }
    if (parents.length > 2_000) break;
  }
  const chosen = parents[place % parents.length];
  if (chosen === undefined) return junk;
  const { holder, key } = chosen;
  const inner = holder[key];
  if (how === "replace") holder[key] = junk;
  if (how === "wrap") holder[key] = [inner];
  // An array takes it at its end: a text such as "2147483648" is an index too, and would make it that long.
  if (how === "add" && Array.isArray(inner)) inner.push(junk);
  else if (how === "add" && isHolder(inner))
    inner[typeof junk === "string" ? junk.slice(0, 200) : "surprise"] = junk;
  if (how === "remove" && key !== "") delete holder[key];
  return whole[""];
}

function isHolder(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function nested(depth: number): unknown {
  let value: unknown = depth;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

function resolve(reference: string, root: JsonSchema): JsonSchema {
  let found: JsonSchema = root;
  for (const part of reference.split("/").slice(1)) found = asSchema(found[part]);
  return found;
}

function asSchema(value: unknown): JsonSchema {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

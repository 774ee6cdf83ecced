import { z } from "zod";

/** A JSON Schema or a part of an OpenAPI document. */
export type Json = Record<string, unknown>;

/** Schemas that have a name: `components.schemas` of the document. */
export type Components = Map<string, Json>;

/** Formats that say all; the regular expressions zod adds to them are a screen long. */
const KNOWN_FORMATS = ["uuid", "date-time", "uri"];

/**
 * One schema as JSON Schema; what has an `id` becomes a component, and is referred to.
 *
 * @param io `input` for what is sent to us, `output` for what we answer: answers may gain fields, requests may not
 */
export function toJsonSchema(schema: z.ZodType, io: "input" | "output", components: Components): Json {
  const whole = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    override: ({ jsonSchema }) => simplify(jsonSchema, io),
  });
  const { $schema: _, $defs, ...rest } = whole;
  for (const [name, definition] of Object.entries({ ...$defs })) addComponent(components, name, definition);
  const { id, ...named } = asJson(rewriteReferences(rest));
  if (typeof id !== "string") return { ...named };
  addComponent(components, id, named);
  return { $ref: `#/components/schemas/${id}` };
}

function simplify(schema: z.core.JSONSchema.BaseSchema, io: "input" | "output"): void {
  if (KNOWN_FORMATS.includes(schema.format ?? "")) delete schema.pattern;
  if (Object.keys(asJson(schema.propertyNames)).join() === "type") delete schema.propertyNames;
  if (io === "output" && schema.additionalProperties === false) delete schema.additionalProperties;
}

export function addComponent(components: Components, name: string, definition: unknown): void {
  if (name.startsWith("__")) throw new Error("a schema that refers to itself needs an id in its meta");
  const { id: _, ...schema } = asJson(rewriteReferences(definition));
  const known = components.get(name);
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) {
    throw new Error(`two different schemas have the id "${name}", or one is used for requests and answers`);
  }
  components.set(name, schema);
}

function rewriteReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewriteReferences);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "$ref" && typeof inner === "string"
        ? inner.replace("#/$defs/", "#/components/schemas/")
        : rewriteReferences(inner),
    ]),
  );
}

export function asJson(value: unknown): Json {
  return { ...Object(value) };
}

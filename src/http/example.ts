import { asJson, type Components, type Json } from "./json-schema.ts";

const BY_FORMAT: Readonly<Record<string, string>> = {
  uuid: "0192f0c1-2b3c-7d4e-8f50-61728394a5b6",
  "date-time": "2026-05-25T12:34:56.000Z",
};
const REFERENCE = "#/components/schemas/";

/**
 * A value that the schema accepts: what its fields give as `example` or `default`, else the plainest there is.
 * Optional fields are left out unless they give an example.
 */
export function exampleOf(schema: Json, components: Components): unknown {
  const { $ref, example, anyOf, oneOf, allOf } = schema;
  if (example !== undefined) return example;
  if (typeof $ref === "string")
    return exampleOf(components.get($ref.slice(REFERENCE.length)) ?? {}, components);
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const [choice] = [anyOf, oneOf].find(Array.isArray) ?? [];
  if (choice !== undefined) return exampleOf(asJson(choice), components);
  if (Array.isArray(allOf))
    return Object.assign({}, ...allOf.map((part) => exampleOf(asJson(part), components)));
  return plainest(schema, components);
}

function plainest(schema: Json, components: Components): unknown {
  const [type] = Array.isArray(schema.type) ? schema.type : [schema.type];
  switch (type) {
    case "object": {
      const required = Array.isArray(schema.required) ? schema.required : [];
      const fields = Object.entries(asJson(schema.properties)).filter(
        ([name, field]) => required.includes(name) || asJson(field).example !== undefined,
      );
      return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf(asJson(field), components)]));
    }
    case "array":
      return schema.items === undefined ? [] : [exampleOf(asJson(schema.items), components)];
    case "string":
      return BY_FORMAT[String(schema.format)] ?? "text";
    case "integer":
    case "number":
      return Math.max(Number(schema.minimum ?? 1), 1);
    case "boolean":
      return true;
    default:
      return null;
  }
}

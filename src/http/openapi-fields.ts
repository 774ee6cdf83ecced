import type { z } from "zod";
import { type Components, type Json, toJsonSchema } from "./json-schema.ts";

export function fieldsOf(
  place: "path" | "query",
  schema: z.ZodObject | undefined,
  components: Components,
): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const { description, example, ...rest } = parameterSchema(field, components);
    return {
      name,
      in: place,
      required: !field.safeParse(undefined).success,
      ...(description === undefined ? {} : { description }),
      ...(example === undefined ? {} : { example }),
      schema: rest,
    };
  });
}

/** Everything in a URL is text; what is read as a number is described as one. */
function parameterSchema(field: z.ZodType, components: Components): Json {
  const read = toJsonSchema(field, "output", components);
  return read.type === "integer" || read.type === "number" ? read : toJsonSchema(field, "input", components);
}

import { exampleOf } from "./example.ts";
import { type Components, type Json, toJsonSchema } from "./json-schema.ts";
import { fieldsOf } from "./openapi-fields.ts";
import { describeProblems, REQUEST_ID } from "./openapi-problems.ts";
import type { PublicRoute, RouteReference } from "./public-route.ts";

/** What no API key opens, as the reference shows it; undefined: it is none of the reader's business. */
export function describeRoute({ id, reference }: PublicRoute, components: Components): Json | undefined {
  if (reference === undefined) return undefined;
  const { tag, summary, description, access, params, query, problems, isPageToken = false } = reference;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: `${description}\n\n${access}`,
    security: isPageToken ? [{ pageToken: [] }] : [],
    parameters: [...fieldsOf("path", params, components), ...fieldsOf("query", query, components)],
    ...bodyOf(reference, components),
    responses: { ...answersOf(reference, components), ...describeProblems(problems) },
  };
}

function bodyOf({ body }: RouteReference, components: Components): Json {
  if (body === undefined) return {};
  const { schema, example } = body;
  const content = { "application/json": { schema: toJsonSchema(schema, "input", components), example } };
  return { requestBody: { required: true, content } };
}

function answersOf({ answers }: RouteReference, components: Components): Json {
  return Object.fromEntries(
    Object.entries(answers).map(([status, { description, type, schema }]) => {
      const shape = toJsonSchema(schema, "output", components);
      const content =
        type === "application/json"
          ? { schema: shape, example: exampleOf(shape, components) }
          : { schema: shape };
      return [status, { description, headers: REQUEST_ID, content: { [type]: content } }];
    }),
  );
}

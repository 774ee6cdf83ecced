import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { operations, publicRoutes, tags } from "../src/areas.ts";
import { apiDocument } from "../src/documentation.ts";
import { problemCodesOf } from "../src/http/openapi.ts";
import { PROBLEMS } from "../src/http/problem.ts";
import { testServer } from "./support.ts";

// biome-ignore lint/suspicious/noExplicitAny: the document is read as its readers do, without our types
type Json = any;

const server = await testServer();
const response = await fetch(`${server.url}/api/v1/openapi.json`);
const text = await response.text();
const document: Json = JSON.parse(text);

const described = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
  Object.entries<Json>(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe("the OpenAPI document", () => {
  test("is served as JSON, in version 3.1", () => {
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  test("describes exactly the operations that there are, and the routes that no key opens", () => {
    const routes = publicRoutes.filter(({ reference }) => reference !== undefined);
    const there = [...operations.map((one) => ({ ...one, path: `/api${one.path}` })), ...routes].map(
      ({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`,
    );
    expect(described.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort()).toEqual(
      there.sort(),
    );
  });

  test("gives every operation an id, a summary and a group of its own making", () => {
    const ids = described.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { operation } of described) {
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary).toMatch(/\S.*\.$/);
      expect(tags.map(({ name }) => name)).toContain(operation.tags[0]);
    }
  });

  test("has no reference that leads nowhere", () => {
    const broken = findAll(document, "$ref").filter((reference) => resolve(reference) === undefined);
    expect(broken).toEqual([]);
  });

  test("names every body and every answer", () => {
    for (const { operation } of described) {
      const contents = [operation.requestBody, ...answersWithBody(operation)].filter(Boolean);
      for (const { content } of contents)
        expect(Object.values<Json>(content)[0].schema.$ref, operation.operationId).toMatch(
          /^#\/components\/schemas\/[A-Z][A-Za-z]+$/,
        );
    }
  });

  test("documents every error of every operation, each with an example", () => {
    for (const one of operations) {
      const { operation } = described.find((other) => other.operation.operationId === one.id) ?? {};
      for (const code of problemCodesOf(one)) {
        const { examples } = operation.responses[PROBLEMS[code].status].content["application/json"];
        expect(resolve(examples[code].$ref).value.code).toBe(code);
      }
    }
  });

  test("knows every error code", () => {
    const codes = Object.keys(PROBLEMS);
    const { description } = document.components.schemas.Problem.properties.code;
    for (const code of codes) expect(description).toContain(`\`${code}\``);
  });

  test("gives an example for every body, and for every answer but streams", () => {
    for (const { operation } of described) {
      const parts = [operation.requestBody, operation.responses[200]].filter(Boolean);
      for (const { content } of parts) {
        const json = content["application/json"];
        if (json !== undefined) expect(json.example, operation.operationId).toBeDefined();
      }
    }
  });

  test("gives no example that its own schema refuses", () => {
    for (const { operation } of described) {
      for (const part of [operation.requestBody, ...answersWithBody(operation)]) {
        const json = part?.content["application/json"];
        if (json?.example !== undefined) expectValid(json.schema, json.example, operation.operationId);
        for (const { $ref } of Object.values<Json>(json?.examples ?? {}))
          expectValid(json.schema, resolve($ref).value, $ref);
      }
      for (const { name, schema, example } of operation.parameters)
        if (example !== undefined) expectValid(schema, example, name);
    }
  });

  test("gives no example body that the operation itself refuses", () => {
    for (const { id, body, examples } of operations) {
      if (body !== undefined) expect(body.safeParse(examples.body).error, id).toBeUndefined();
    }
  });

  test("says who may call an operation", () => {
    for (const { id, scope, tenant } of operations) {
      const { operation } = described.find((one) => one.operation.operationId === id) ?? {};
      const wanted = tenant === "superadmin" ? "a superadmin's key" : (scope ?? "Any key of a partner");
      expect(operation.description, id).toContain(wanted);
    }
  });

  test("is the same each time, its schemas in order", () => {
    expect(JSON.stringify(apiDocument("/"))).toBe(text);
    const names = Object.keys(document.components.schemas);
    expect(names).toEqual([...names].sort());
  });

  test("asks for the account exactly where it is needed", () => {
    for (const { id, tenant } of operations) {
      const { operation } = described.find((one) => one.operation.operationId === id) ?? {};
      const header = operation.parameters.find(({ name }: Json) => name === "X-Account-Id");
      const needs = ["account", "organization", "workspace"].includes(tenant);
      expect(header?.required ?? false, id).toBe(needs);
    }
  });
});

describe("the pages for agents and people", () => {
  test("llms.txt leads to everything else", async () => {
    const page = await read("/llms.txt");
    for (const link of ["/llms-full.txt", "/api/v1/openapi.json", "/docs"])
      expect(page).toContain(`(${link})`);
    for (const { method, path } of described) expect(page).toContain(`- ${method.toUpperCase()} ${path}: `);
  });

  test("llms-full.txt holds every operation, type and error code", async () => {
    const page = await read("/llms-full.txt");
    for (const { method, path } of described) expect(page).toContain(`## ${method.toUpperCase()} ${path}\n`);
    for (const name of Object.keys(document.components.schemas)) expect(page).toContain(`type ${name} = `);
    for (const code of Object.keys(PROBLEMS)) expect(page).toContain(`\`${code}\``);
    expect(page).not.toContain("undefined");
    expect(page).not.toContain("[object Object]");
  });

  test("the bare address leads to the reference", async () => {
    const answer = await fetch(`${server.url}/`, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/docs"]);
  });

  test("the reference page loads nothing from elsewhere", async () => {
    const page = await read("/docs");
    const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target = ""]) => target);
    expect(loaded.length).toBeGreaterThan(2);
    for (const target of loaded) expect(target).toMatch(/^(\/|data:)/);
    for (const target of loaded.filter((one) => one.startsWith("/"))) await read(target);
  });
});

async function read(path: string): Promise<string> {
  const answer = await fetch(server.url + path);
  expect(answer.status, path).toBe(200);
  return answer.text();
}

/** All but 304, which has none. */
function answersWithBody(operation: Json): Json[] {
  return Object.entries<Json>(operation.responses).flatMap(([status, answer]) =>
    status === "304" ? [] : [answer],
  );
}

function resolve(reference: string): Json {
  let found: Json = document;
  for (const part of reference.replace(/^#\//, "").split("/")) found = found?.[part];
  return found;
}

function findAll(value: Json, key: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === key && typeof inner === "string" ? [inner] : findAll(inner, key),
  );
}

const ajv = new Ajv2020({ strict: false, allErrors: true })
  .addFormat("uuid", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)
  .addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
  .addSchema(document, "document");

function expectValid(schema: Json, value: Json, of: string): void {
  const whole = JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/'));
  const valid = ajv.validate(whole, value);
  expect(valid ? [] : [of, ajv.errorsText(), JSON.stringify(value)]).toEqual([]);
}

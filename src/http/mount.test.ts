import { describe, expect, test } from "vitest";
import { z } from "zod";
import { expectNamed, expectProblem } from "../../test/expectations.ts";
import { client, newPartner, send, startTestServer } from "../../test/support.ts";
import { createAdminKey } from "../partners/keys.service.ts";
import { type Operation, operation } from "./operation.ts";

const common = { tag: "Test", scope: null, tenant: "partner", summary: "Only for this test." } as const;
const Shape = z.object({ name: z.string(), inner: z.array(z.object({ id: z.int() })) });

/** Operations that go wrong in ways that those of the product do not. */
const operations: Operation[] = [
  operation({
    ...common,
    id: "leak",
    method: "GET",
    path: "/v1/leak",
    response: { 200: Shape },
    async handle() {
      return { name: "n", password: "SECRET", inner: [{ id: 1, hash: "SECRET" }] };
    },
  }),
  operation({
    ...common,
    id: "mistake",
    method: "GET",
    path: "/v1/mistake",
    response: { 200: z.object({ count: z.int().max(3) }) },
    handle: async () => ({ count: 4 }),
  }),
  operation({
    ...common,
    id: "throw",
    method: "POST",
    path: "/v1/throw",
    response: { 200: Shape },
    async handle() {
      throw Object.assign(new Error("SECRET at /etc/secret"), { code: "23505", detail: "SECRET" });
    },
  }),
  operation({
    ...common,
    id: "lose",
    method: "GET",
    path: "/v1/lose",
    response: { 200: Shape },
    async handle() {
      throw Object.assign(new Error("connect ECONNREFUSED 10.0.0.1"), { code: "ECONNREFUSED" });
    },
  }),
  operation({
    ...common,
    id: "govern",
    method: "POST",
    path: "/v1/admin/govern",
    tenant: "superadmin",
    body: z.strictObject({ text: z.string() }),
    bodyLimitBytes: 100,
    idempotent: false,
    response: { 200: z.object({ actor: z.string(), text: z.string() }) },
    handle: async (_app, caller, { body }) => ({ actor: caller.actor.kind, text: body.text }),
  }),
];

const logged: string[] = [];
const server = await startTestServer(
  { LOG_LEVEL: "error" },
  { operations, onLog: (line) => logged.push(line) },
);
const partner = await newPartner(server.app);
const api = client(server.url, partner.key);

describe("an operation", () => {
  test("answers what its schema names and nothing more", async () => {
    expect((await api.get("/v1/leak")).body).toEqual({ name: "n", inner: [{ id: 1 }] });
  });

  test("whose answer breaks its own schema is a fault of ours, and says nothing of its inside", async () => {
    expectProblem(await api.get("/v1/mistake"), "internal");
  });

  test("that throws is answered 500 without a word of why, and the log has it under the request id", async () => {
    const reply = await api.post("/v1/throw");
    expectProblem(reply, "internal");
    expect(JSON.stringify(reply.body)).not.toContain("SECRET");
    const line = logged.find((text) => text.includes(reply.body.request_id)) ?? "";
    expect(JSON.parse(line)).toMatchObject({
      msg: "request failed",
      operation: "throw",
      partnerId: partner.id,
    });
  });

  test("that fails may be tried again with the same Idempotency-Key", async () => {
    const key = { "idempotency-key": "again" };
    expectProblem(await api.post("/v1/throw", undefined, key), "internal");
    expectProblem(await api.post("/v1/throw", undefined, key), "internal");
  });

  test("that cannot reach the database is answered 503 with Retry-After", async () => {
    const reply = await api.get("/v1/lose");
    expectProblem(reply, "overloaded");
    expect(reply.headers.get("retry-after")).toBe("2");
    expect(JSON.stringify(reply.body)).not.toContain("10.0.0.1");
  });

  test("of the superadmin takes a superadmin's key alone", async () => {
    const { key } = await createAdminKey(server.app);
    const admin = client(server.url, key);
    const { body } = await admin.post("/v1/admin/govern", { text: "x" });
    expect(body).toEqual({ actor: "superadmin", text: "x" });
    expectProblem(await api.post("/v1/admin/govern", { text: "x" }), "insufficient_scope");
    expectProblem(await admin.get("/v1/leak"), "insufficient_scope");
  });

  test("may set its own limit for the body", async () => {
    const admin = client(server.url, (await createAdminKey(server.app)).key);
    expectProblem(await admin.post("/v1/admin/govern", { text: "x".repeat(100) }), "payload_too_large");
  });

  test("reads a body in UTF-8 and refuses bytes that are none", async () => {
    const { key } = await createAdminKey(server.app);
    const post = (bytes: number[]) =>
      send(
        server.url,
        "POST",
        "/v1/admin/govern",
        { authorization: `Bearer ${key}`, "content-type": "application/json" },
        new Uint8Array([...Buffer.from('{"text":"'), ...bytes, ...Buffer.from('"}')]),
      );
    expect((await post([0xc3, 0xa9])).body.text).toBe("é");
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xe9]]) {
      const reply = await post(bytes);
      expectProblem(reply, "invalid_request");
      expectNamed(reply, "body");
    }
  });
});

describe("what is no operation", () => {
  test("is answered 404 in the shape of every error, whatever the method", async () => {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      for (const path of ["/v1/nothing", "/v2/orgs", "/v1", "", "/v1/leak/deeper"]) {
        expectProblem(await send(server.url, method, path, {}), "route_not_found");
      }
    }
  });

  test("is not told apart by a slash at the end", async () => {
    expect((await api.get("/v1/leak/")).status).toBe(200);
  });
});

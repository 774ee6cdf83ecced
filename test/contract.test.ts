import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { operations } from "../src/areas.ts";
import type { Operation } from "../src/http/operation.ts";
import { SCOPES } from "../src/http/scopes.ts";
import { createAdminKey, createKey, revokeKey } from "../src/partners/keys.service.ts";
import { expectNamed, expectProblem, expectSuccess, withoutRequestId } from "./expectations.ts";
import { type Content, encodeForm, fieldParts, type Part } from "./form.ts";
import {
  bodyOf,
  calls,
  contentOf,
  FILE,
  headersOf,
  type Mention,
  mentionsOf,
  needsAccount,
  newPlace,
  type Place,
  parameterNames,
  pathOf,
  ruleOf,
  setAt,
  takesAccount,
} from "./registry.ts";
import { client, hex, newKey, operator, type Reply, send, startTestServer, testServer } from "./support.ts";

/** Parts of a valid call that a test replaces; `null` leaves a header out. */
interface Change {
  key?: string;
  headers?: Record<string, string | null>;
  path?: string;
  body?: unknown;
  /** Sent as it is, in place of a body. */
  text?: string;
  /** The same for a form. */
  form?: Content;
}

const server = await testServer();
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const BODY_LIMIT_BYTES = 1024 * 1024;
const WRONG_VALUES = [{ wrong: 1 }, [[]], "", 1.5, true, -1];
/** In a form everything is text. */
const WRONG_TEXTS = ["", "{", "[]", '{"wrong":1}', "x,".repeat(3_000)];
const FORM_FIELDS_MAX = 20;

/** A place that no test changes, and keys that open nothing. */
let place: Place;
let suspended: Place;
/** Of another partner, of another account, and another one in the same account: what is refused leaves them as they are. */
let strange: Place;
let neighbour: Place;
let sibling: Place;
let revoked: string;
let expired: string;

beforeAll(async () => {
  place = await newPlace(server);
  suspended = await newPlace(server, { partner: place.partner });
  await client(server.url, place.partner.key).post(`/v1/accounts/${suspended.accountId}/suspend`);
  strange = await newPlace(server);
  neighbour = await newPlace(server, { partner: place.partner });
  sibling = await newPlace(server, place);
  const issued = await createKey(server.app, operator(place.partner.id), {});
  await revokeKey(server.app, operator(place.partner.id), issued.id);
  revoked = issued.key;
  expired = await newKey(server.app, place.partner.id, { expiresAt: new Date(Date.now() + 100) });
  await new Promise((resolve) => setTimeout(resolve, 120));
});

test("every operation has an id and a route of its own", () => {
  const routes = operations.map(({ method, path }) => `${method} ${path.replace(/:\w+/g, ":")}`);
  expect(new Set(routes).size).toBe(operations.length);
  expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length);
});

test("the registry of the generated tests speaks only of operations that exist", () => {
  expect(Object.keys(calls).filter((id) => operations.every((operation) => operation.id !== id))).toEqual([]);
});

test("an operation that the generated tests cannot call fails them with a sentence that says what to add", () => {
  const [model] = operations;
  if (model === undefined) expect.fail("there are no operations");
  const strange: Operation = {
    ...model,
    id: "hum",
    path: "/v1/tunes/:tuneId",
    body: z.object({ key: z.string() }),
  };
  expect(() => pathOf(strange, place)).toThrow(
    /hum has the path parameter ":tuneId".*add it to `parameters`/,
  );
  expect(() => bodyOf(strange, place)).toThrow(/hum takes a body.*give the operation an example/);
});

test("a file that is too large: 413, and nothing of it is left", async () => {
  const small = await startTestServer({ MAX_UPLOAD_MB: "1" });
  try {
    const there = await newPlace(small);
    for (const operation of operations.filter(({ multipart }) => multipart !== undefined)) {
      const { type, data } = encodeForm([{ ...FILE, content: "x".repeat(2 ** 20 + 1) }]);
      const headers = { ...headersOf(operation, there), "content-type": type };
      const reply = await send(small.url, operation.method, pathOf(operation, there), headers, data);
      expectProblem(reply, "payload_too_large", operation);
    }
    expect(await readdir(small.app.stagingDir)).toEqual([]);
  } finally {
    await small.close();
  }
});

for (const operation of operations) {
  describe(operation.id, () => {
    describeRegistry(operation);
    describeKey(operation);
    if (takesAccount(operation)) describeAccount(operation);
    describeScope(operation);
    describePath(operation);
    describeQuery(operation);
    if (operation.method !== "GET") describeContent(operation);
    if (operation.multipart !== undefined) describeForm(operation, operation.multipart);
    else if (operation.method !== "GET") describeJson(operation);
    if (operation.body !== undefined) describeBody(operation, operation.body);
    for (const mention of mentionsOf(operation)) describeMention(operation, mention);
    describeOrder(operation);
    describeAnswer(operation);
  });
}

test("nothing that was sent in a form is left where it arrived", async () => {
  expect(await readdir(server.app.stagingDir)).toEqual([]);
});

function describeRegistry(operation: Operation): void {
  test("the generated tests know how to call it", () => {
    for (const name of parameterNames(operation)) ruleOf(operation, name);
    bodyOf(operation, place);
    for (const field of fieldsOf(operation.body ?? operation.multipart).filter(
      (name) => /_(id|slug)s?$|workspaces?$|docpaths?$|files$/i.test(name) && name !== "external_id",
    )) {
      if (mentionsOf(operation).every(({ at }) => at !== field && !at.startsWith(`${field}.`))) {
        throw new Error(
          `${operation.id} takes body.${field}, which seems to name a thing: say which in \`calls\` in ` +
            `test/registry.ts ({ ${operation.id}: { refersTo: { ${field}: "<path parameter>" } } }), so that the ` +
            "tests can try someone else's.",
        );
      }
    }
  });

  test("its path and its schema name the same parameters", () => {
    expect(Object.keys(operation.params?.shape ?? {}).sort()).toEqual(parameterNames(operation).sort());
  });
}

function describeKey(operation: Operation): void {
  const badKeys = (): Record<string, string | null> => ({
    "no key": null,
    "an empty header": "",
    "another scheme": `Basic ${place.partner.key}`,
    "a key without its scheme": place.partner.key,
    "two keys": `Bearer ${place.partner.key} ${place.partner.key}`,
    "a malformed key": "Bearer not-a-key",
    "a key with a wrong checksum": `Bearer ${place.partner.key.slice(0, -1)}${place.partner.key.endsWith("0") ? "1" : "0"}`,
    "an unknown key with a right checksum": `Bearer ${madeUpKey()}`,
    "a revoked key": `Bearer ${revoked}`,
    "an expired key": `Bearer ${expired}`,
  });

  test("no key, a malformed, unknown, revoked or expired one: the one answer of 403", async () => {
    for (const [what, authorization] of Object.entries(badKeys())) {
      const reply = await call(operation, { headers: { authorization } });
      expect(reply.status, what).toBe(403);
      expect(reply.body, what).toEqual({
        success: false,
        message: "Invalid API Key",
        error:
          operation.errors === "openai"
            ? expect.objectContaining({ message: "Invalid API Key", code: "invalid_api_key" })
            : "No valid api key found.",
        code: "invalid_api_key",
        request_id: reply.headers.get("x-request-id"),
      });
    }
  });

  test("a key of the wrong kind: 403", async () => {
    const wrong =
      operation.tenant === "superadmin" ? place.partner.key : (await createAdminKey(server.app)).key;
    expectProblem(await call(operation, { key: wrong }), "insufficient_scope", operation);
  });
}

function describeAccount(operation: Operation): void {
  const withAccount = (id: string | null) => call(operation, { headers: { "x-account-id": id } });

  if (needsAccount(operation)) {
    test("without X-Account-Id: 400", async () => {
      const reply = await withAccount(null);
      expectProblem(reply, "account_required", operation);
      expectNamed(reply, "headers.x-account-id");
    });
  }

  test("a malformed X-Account-Id: 400", async () => {
    for (const id of ["", "acme", "42", `${place.accountId}0`, `${place.accountId}, ${place.accountId}`]) {
      expectProblem(await withAccount(id), "account_required", operation);
    }
  });

  test("someone else's account and an unknown one: 403, the same answer", async () => {
    const foreign = await withAccount(strange.accountId);
    const unknown = await withAccount("0192f0c1-2b3c-7d4e-8f50-61728394a5b6");
    expectProblem(foreign, "account_forbidden", operation);
    expect(withoutRequestId(foreign)).toEqual(withoutRequestId(unknown));
  });

  test("a suspended account: 403 account_suspended", async () => {
    const reply = await call(operation, {
      headers: { "x-account-id": suspended.accountId },
      path: pathOf(operation, suspended),
    });
    expectProblem(reply, "account_suspended", operation);
  });

  test("a key of another account: 403, the answer for an unknown account", async () => {
    const key = await newKey(server.app, place.partner.id, { accountId: neighbour.accountId });
    const foreign = await call(operation, { key });
    const unknown = await call(operation, {
      key,
      headers: { "x-account-id": ruleOf(operation, "accountId").unknown },
    });
    expectProblem(foreign, "account_forbidden", operation);
    expect(withoutRequestId(foreign)).toEqual(withoutRequestId(unknown));
  });

  test("the account's id is the same in capitals", async () => {
    const fresh = await freshCall(operation);
    expectValid(await fresh({ headers: { "x-account-id": fresh.place.accountId.toUpperCase() } }), operation);
  });
}

function describeScope(operation: Operation): void {
  const { scope } = operation;
  if (scope === null || operation.tenant === "superadmin") return;

  test(`a key with every scope but ${scope}: 403`, async () => {
    const others = await newKey(server.app, place.partner.id, {
      scopes: SCOPES.filter((other) => other !== scope),
    });
    const none = await newKey(server.app, place.partner.id, { scopes: [] });
    for (const key of [others, none]) {
      const reply = await call(operation, { key });
      expectProblem(reply, "insufficient_scope", operation);
      expect(reply.body.message).toContain(`"${scope}"`);
    }
  });

  test("a key with nothing but that scope suffices", async () => {
    const fresh = await freshCall(operation);
    const key = await newKey(server.app, fresh.place.partner.id, { scopes: [scope] });
    expectValid(await fresh({ key }), operation);
  });

  test("a key of another workspace: refused as if its workspace were the only one", async () => {
    const key = await newKey(server.app, place.partner.id, {
      accountId: place.accountId,
      workspace: { id: sibling.workspaceId, organization: { id: sibling.organizationId } },
    });
    const reply = await call(operation, { key });
    if (operation.tenant === "account-or-key") {
      // It may call it, and reaches nothing but its own workspace.
      if (mentionsOf(operation).length > 0) expectProblem(reply, "not_found", operation);
      else expectValid(reply, operation);
    } else if (operation.tenant !== "workspace") expectProblem(reply, "insufficient_scope", operation);
    else {
      expectProblem(reply, "not_found", operation);
      const unknown = await call(operation, {
        key,
        path: pathOf(operation, place, { slug: ruleOf(operation, "slug").unknown }),
      });
      expect(withoutRequestId(reply)).toEqual(withoutRequestId(unknown));
    }
  });
}

function describePath(operation: Operation): void {
  for (const name of parameterNames(operation)) {
    const { malformed, isMade } = ruleOf(operation, name);
    if (isMade === undefined)
      test(`an unknown :${name}: 404`, async () => {
        const path = pathOf(operation, place, { [name]: ruleOf(operation, name).unknown });
        expectProblem(await call(operation, { path }), "not_found", operation);
      });

    if (name === "slug" || name === "orgSlug") {
      test(`a :${name} in its original form: 400, and the message has the hex form`, async () => {
        for (const original of ["acme-support", "Ünïcode", "0", "abc", "00", "610062", "c3", "eda080"]) {
          const reply = await call(operation, {
            path: pathOf(operation, place, { [name]: encodeURIComponent(original) }),
          });
          expectProblem(reply, "slug_not_hex", operation);
          expect(reply.body.message).toContain(Buffer.from(original).toString("hex"));
        }
      });

      test(`a :${name} whose hex is in capitals is the same`, async () => {
        const reply = await call(operation, {
          path: pathOf(operation, place, {
            [name]: Buffer.from("nowhere-to-be-found").toString("hex").toUpperCase(),
          }),
        });
        expectProblem(reply, "not_found", operation);
      });
    } else if (malformed === undefined) {
      throw new Error(`say in test/registry.ts which values of :${name} are malformed`);
    } else {
      test(`a :${name} that cannot be one: 400, naming it`, async () => {
        for (const value of malformed) {
          const reply = await call(operation, { path: pathOf(operation, place, { [name]: value }) });
          expectProblem(reply, "invalid_request", operation);
          expectNamed(reply, `path.${name}`);
        }
      });
    }
  }

  test("another method on its path: 405, and Allow has those there are", async () => {
    const same = operations.filter(
      ({ path }) => path.replace(/:\w+/g, ":") === operation.path.replace(/:\w+/g, ":"),
    );
    const allowed = same.map(({ method }): string => method);
    for (const method of METHODS.filter((other) => !allowed.includes(other))) {
      const reply = await send(server.url, method, pathOf(operation, place), headersOf(operation, place));
      expectProblem(reply, "method_not_allowed");
      const offered = (reply.headers.get("allow") ?? "").split(", ").filter((other) => other !== "HEAD");
      expect(offered.sort()).toEqual([...allowed].sort());
    }
  });
}

function describeQuery(operation: Operation): void {
  test("an unknown query key: 400, naming it", async () => {
    for (const key of ["surprise", "Limit", "__proto__", "constructor"]) {
      const reply = await call(operation, { path: `${pathOf(operation, place)}?${key}=1` });
      expectProblem(reply, "invalid_request", operation);
      expectNamed(reply, `query.${key}`);
    }
  });

  for (const name of Object.keys(operation.query?.shape ?? {})) {
    test(`?${name}= twice, or not as it must be: 400, naming it`, async () => {
      const wrong = [`${name}=1&${name}=2`, `${name}=%00`, `${name}=${"x".repeat(501)}`];
      for (const query of wrong) {
        const reply = await call(operation, { path: `${pathOf(operation, place)}?${query}` });
        expectProblem(reply, "invalid_request", operation);
        expectNamed(reply, `query.${name}`);
      }
    });
  }

  if (operation.query?.shape.limit !== undefined) {
    test("limit takes 1 to 500, and cursor only what the list has given out", async () => {
      const withQuery = (query: string) => call(operation, { path: `${pathOf(operation, place)}?${query}` });
      for (const limit of ["0", "501", "-1", "1.5", "1e2", "abc", "", "99999"]) {
        const reply = await withQuery(`limit=${limit}`);
        expectProblem(reply, "invalid_request", operation);
        expectNamed(reply, "query.limit");
      }
      for (const limit of ["1", "500"]) expectSuccess(await withQuery(`limit=${limit}`), operation);
      for (const cursor of [
        "",
        "x",
        "MA",
        "LTE",
        "%F0%9F%98%80",
        Buffer.from("1; drop table").toString("base64url"),
      ]) {
        const reply = await withQuery(`cursor=${cursor}`);
        expectProblem(reply, "invalid_request", operation);
        expectNamed(reply, "query.cursor");
      }
    });
  }
}

function describeContent(operation: Operation): void {
  const isForm = operation.multipart !== undefined;
  test(`another content type than ${isForm ? "a form" : "JSON"}: 415`, async () => {
    const text = JSON.stringify(bodyOf(operation, place) ?? {});
    const other = isForm ? "application/json" : "multipart/form-data; boundary=x";
    for (const type of [
      other,
      "text/plain",
      "application/xml",
      "application/x-www-form-urlencoded",
      "nonsense",
    ]) {
      const reply = await call(operation, { headers: { "content-type": type }, text });
      expectProblem(reply, "unsupported_media_type", operation);
    }
  });
}

function describeJson(operation: Operation): void {
  test("malformed JSON: 400", async () => {
    const proto = '{"__proto__":{"admin":true}}';
    for (const text of ["{", "nul", '{"name":}', "[1,", "\u0000", '{"a":1}{"b":2}', proto, "'x'"]) {
      expectProblem(await call(operation, { text }), "invalid_request", operation);
    }
  });

  test("a body that is too large: 413", async () => {
    const text = `"${"x".repeat(operation.bodyLimitBytes ?? BODY_LIMIT_BYTES)}"`;
    expectProblem(await call(operation, { text }), "payload_too_large", operation);
  });

  test("an unknown body key: 400, naming it; taken where clients of OpenAI send theirs", async () => {
    const body = { ...bodyOf(operation, place), surprise: 1 };
    const reply = await call(operation, { body });
    if (operation.errors === "openai") return expectValid(reply, operation);
    expectProblem(reply, "invalid_request", operation);
    expectNamed(reply, "body.surprise");
  });

  test("a body that is no object: 400, naming the body", async () => {
    for (const body of [[], "text", 1, true, [bodyOf(operation, place) ?? {}]]) {
      const reply = await call(operation, { body });
      expectProblem(reply, "invalid_request", operation);
      expectNamed(reply, "body");
    }
  });
}

/** A form with a file and fields of text. */
function describeForm(operation: Operation, schema: z.ZodObject): void {
  const withParts = (parts: Part[], end?: string) => call(operation, { form: encodeForm(parts, end) });
  const fields = () => fieldParts(Object(bodyOf(operation, place)));
  const expectWrong = (reply: Reply, field: string) => {
    expectProblem(reply, "invalid_request", operation);
    expectNamed(reply, `body.${field}`);
  };

  test("no form at all: 415", async () => {
    const path = pathOf(operation, place);
    const reply = await send(server.url, operation.method, path, headersOf(operation, place));
    expectProblem(reply, "unsupported_media_type", operation);
  });

  test("no file, two, one in another field, or one that is text: 400, naming the field", async () => {
    expectWrong(await withParts([]), "file");
    expectWrong(await withParts(fields()), "file");
    expectWrong(await withParts([...fields(), FILE, FILE]), "file");
    expectWrong(await withParts([...fields(), { ...FILE, name: "document" }]), "document");
    expectWrong(await withParts([...fields(), FILE, { ...FILE, name: "document" }]), "document");
    expectWrong(await withParts([...fields(), { name: "file", content: "a text" }]), "file");
  });

  test("an unknown field: 400, naming it; one of every object: 400", async () => {
    expectWrong(await withParts([...fields(), { name: "surprise", content: "1" }, FILE]), "surprise");
    expectWrong(await withParts([FILE, ...fields(), { name: "surprise", content: "1" }]), "surprise");
    for (const name of ["__proto__", "constructor", "toString"]) {
      const reply = await withParts([{ name, content: "1" }, FILE]);
      expectProblem(reply, "invalid_request", operation);
    }
  });

  for (const field of Object.keys(schema.shape)) {
    test(`a wrong ${field}, or two: 400, naming it`, async () => {
      const wrong = WRONG_TEXTS.filter((text) => !schema.safeParse({ [field]: text }).success);
      expect(wrong.length, `nothing is wrong for ${field}`).toBeGreaterThan(0);
      for (const text of [...wrong, "NUL \u0000"]) {
        expectWrong(await call(operation, { body: { ...bodyOf(operation, place), [field]: text } }), field);
      }
      const one = fieldParts({ ...bodyOf(operation, place) }).filter(({ name }) => name === field);
      expectWrong(await withParts([...one, ...one, FILE]), field);
    });
  }

  test("a form that is cut off or has no boundary: 400", async () => {
    expectProblem(await withParts([...fields(), FILE], ""), "invalid_request", operation);
    const { data } = encodeForm([FILE]);
    for (const type of ["multipart/form-data", "multipart/form-data; boundary="]) {
      expectProblem(await call(operation, { form: { type, data } }), "invalid_request", operation);
    }
  });

  test("too many fields: 413", async () => {
    const many = Array.from({ length: FORM_FIELDS_MAX + 2 }, (_, i) => ({ name: `f${i}`, content: "x" }));
    expectProblem(await withParts([...many, FILE]), "payload_too_large", operation);
  });

  test("a file of no known kind: 415; one that is not what it says: 415; an empty one: 422", async () => {
    const withFile = (change: Partial<Part>) => withParts([...fields(), { ...FILE, ...change }]);
    expectProblem(await withFile({ fileName: "a.xyz" }), "unsupported_media_type", operation);
    expectProblem(await withFile({ fileName: "a.pdf" }), "unsupported_media_type", operation);
    expectProblem(await withFile({ content: "" }), "unprocessable", operation);
  });

  test("a file may be called anything, and is given back under what is left of it", async () => {
    const fresh = await freshCall(operation);
    for (const fileName of [
      "a\u0000b.txt",
      "../../\u0007a.txt",
      `${"\u{1f600}".repeat(200)}a.txt`,
      "\u202e.txt",
    ]) {
      const content = `Named ${encodeURIComponent(fileName)}`;
      const reply = await fresh({ form: encodeForm([{ ...FILE, fileName, content }]) });
      expectSuccess(reply, operation);
      const [{ name, title }] = reply.body.documents;
      expect(title).not.toMatch(/\p{Cc}|\p{Cs}|\//u);
      const original = `/v1/org/${hex(fresh.place.orgSlug)}/document/${encodeURIComponent(name)}/original`;
      expect(await fresh.place.api.get(original)).toMatchObject({ status: 200, body: content });
    }
  });

  test("key, account and scope are looked at before the form", async () => {
    const broken = { type: "multipart/form-data", data: "no form" };
    const none = await newKey(server.app, place.partner.id, { scopes: [] });
    const tried = (change: Change) => call(operation, { ...change, form: broken });
    expectProblem(await tried({ key: "nonsense" }), "invalid_api_key", operation);
    expectProblem(await tried({ headers: { "x-account-id": null } }), "account_required", operation);
    expectProblem(await tried({ key: none }), "insufficient_scope", operation);
  });

  test("the same fields as a form of another order, and a field that is marked as JSON, are as good", async () => {
    const fresh = await freshCall(operation);
    const parts = fieldParts(Object(bodyOf(operation, fresh.place)));
    const marked = parts.map((part) =>
      part.content.toString().startsWith("{") ? { ...part, type: "application/json" } : part,
    );
    expectValid(await fresh({ form: encodeForm([FILE, ...marked]) }), operation);
  });

  test("with an Idempotency-Key: another file or other fields are another request", async () => {
    const fresh = await freshCall(operation);
    const headers = { "idempotency-key": `once-${fresh.place.marker}` };
    const parts = fieldParts(Object(bodyOf(operation, fresh.place)));
    expectValid(await fresh({ headers }), operation);
    const others = [
      [...parts, { ...FILE, content: "Another." }],
      [...parts, { ...FILE, fileName: "b.txt" }],
      [FILE],
    ];
    for (const other of others) {
      const reply = await fresh({ headers, form: encodeForm(other) });
      expectProblem(reply, "idempotency_conflict", operation);
    }
  });
}

function describeBody(operation: Operation, schema: z.ZodType): void {
  test("no body at all: 400, naming the body; or as good as any where none is needed", async () => {
    const reply = await send(
      server.url,
      operation.method,
      pathOf(operation, place),
      headersOf(operation, place),
    );
    if (schema.safeParse(undefined).success) return expectValid(reply, operation);
    expectProblem(reply, "invalid_request", operation);
    expectNamed(reply, "body");
  });

  for (const field of fieldsOf(schema)) {
    test(`a wrong ${field}: 400, naming it`, async () => {
      const wrong = WRONG_VALUES.map((value) => ({ ...bodyOf(operation, place), [field]: value })).filter(
        (body) => !schema.safeParse(body).success,
      );
      expect(wrong.length, `nothing is wrong for ${field}`).toBeGreaterThan(0);
      for (const body of [...wrong, { ...bodyOf(operation, place), [field]: "NUL \u0000" }]) {
        const reply = await call(operation, { body });
        expectProblem(reply, "invalid_request", operation);
        expectNamed(reply, `body.${field}`);
      }
    });
  }

  for (const field of requiredOf(schema)) {
    test(`without ${field}: 400, naming it`, async () => {
      const { [field]: _, ...body }: Record<string, unknown> = { ...bodyOf(operation, place) };
      const reply = await call(operation, { body });
      expectProblem(reply, "invalid_request", operation);
      expectNamed(reply, `body.${field}`);
    });
  }
}

/** A thing that the body names, where there is none, and where there cannot be any. */
function describeMention(
  operation: Operation,
  { at, unknown, unknownIs, nowhere, malformed }: Mention,
): void {
  if (unknown !== undefined)
    test(`a ${at} of nothing: ${unknownIs === 207 ? "404 in the 207" : unknownIs}`, async () => {
      const fresh = await freshCall(operation);
      const body = setAt({ ...bodyOf(operation, fresh.place) }, at, unknown(fresh.place));
      const reply = await fresh({ body });
      if (unknownIs === undefined) expect.fail(`say in test/registry.ts what ${at} of nothing is answered`);
      if (unknownIs !== 207) return expectProblem(reply, unknownIs, operation);
      expect(reply.status).toBe(207);
      expectSuccess(reply, operation);
      expect(reply.body.success).toBe(false);
      const failed = reply.body.results.filter(({ status }: { status: unknown }) => status === 404);
      expect(failed).toMatchObject([{ docpath: unknown(fresh.place), message: expect.any(String) }]);
    });

  const wrong = [...(malformed ?? []), ...(nowhere === undefined ? [] : [nowhere])];
  if (wrong.length > 0)
    test(`a ${at} that cannot be one, or is nobody's: 400, naming it`, async () => {
      for (const value of wrong) {
        const reply = await call(operation, { body: setAt({ ...bodyOf(operation, place) }, at, value) });
        expectProblem(reply, "invalid_request", operation);
        expectNamed(reply, `body.${at}`);
      }
    });
}

/** Key → account → scope → content type → schema → look-ups: all is wrong at first, and is put right one by one. */
function describeOrder(operation: Operation): void {
  test("its checks run in the contract's order", async () => {
    const unknown = Object.fromEntries(
      parameterNames(operation).map((name) => [name, ruleOf(operation, name).unknown]),
    );
    const nowhere = pathOf(operation, place, unknown);
    const hasBody = operation.method !== "GET";
    const wrong: Change = {
      path: `${nowhere}?surprise=1`,
      headers: { authorization: "Bearer nonsense", "x-account-id": "nonsense", "content-type": "text/plain" },
      ...(hasBody ? { text: "{" } : {}),
    };
    const change = (headers: Record<string, string | null>): Change => ({
      ...wrong,
      headers: { ...wrong.headers, ...headers },
    });
    expectProblem(await call(operation, wrong), "invalid_api_key", operation);

    const scopeless = {
      authorization: `Bearer ${await newKey(server.app, place.partner.id, { scopes: [] })}`,
    };
    if (takesAccount(operation))
      expectProblem(await call(operation, change(scopeless)), "account_required", operation);
    const account = { "x-account-id": place.accountId };
    if (operation.scope !== null || operation.tenant === "superadmin") {
      expectProblem(
        await call(operation, change({ ...scopeless, ...account })),
        "insufficient_scope",
        operation,
      );
    }
    const allowed = { ...headersOf(operation, place), ...account };
    if (hasBody) {
      expectProblem(await call(operation, change(allowed)), "unsupported_media_type", operation);
    }
    const type = operation.multipart === undefined ? "application/json" : "multipart/form-data; boundary=x";
    const readable = { ...allowed, "content-type": type };
    expectProblem(await call(operation, change(readable)), "invalid_request", operation);
    if (parameterNames(operation).length > 0) {
      expectProblem(await call(operation, { path: nowhere }), "not_found", operation);
    }
  });
}

function describeAnswer(operation: Operation): void {
  test("a valid call is answered as its schema says", async () => {
    const fresh = await freshCall(operation);
    const reply = await fresh();
    expectValid(reply, operation);
    if (calls[operation.id]?.refused !== undefined) return;
    expect([200, 202, 207]).toContain(reply.status);
    if (reply.body.success !== undefined) expect(reply.body.success).toBe(true);
  });

  test("a request id that is given is kept", async () => {
    const fresh = await freshCall(operation);
    const reply = await fresh({ headers: { "x-request-id": "given-by-the-client" } });
    expect(reply.headers.get("x-request-id")).toBe("given-by-the-client");
  });

  if (operation.idempotent) {
    test("with an Idempotency-Key a repetition is answered by the stored result, to the byte", async () => {
      const fresh = await freshCall(operation);
      const once = { headers: { "idempotency-key": `once-${fresh.place.marker}` } };
      const first = await fresh(once);
      const second = await fresh(once);
      expectValid(first, operation);
      expect(second.status).toBe(first.status);
      // A refusal is not kept: it is refused anew.
      if (calls[operation.id]?.refused !== undefined) expectValid(second, operation);
      else expect(JSON.stringify(second.body)).toBe(JSON.stringify(first.body));
    });

    test("an Idempotency-Key that is empty, too long or not printable: 400", async () => {
      for (const key of ["", "x".repeat(256), "with space", "é"]) {
        const reply = await call(operation, { headers: { "idempotency-key": key } });
        expectProblem(reply, "invalid_request", operation);
        expectNamed(reply, "headers.idempotency-key");
      }
    });
  }
}

/** A call of the place that nobody changes: valid but for what `change` says, and never carried out. */
function call(operation: Operation, change: Change = {}): Promise<Reply> {
  return callIn(place, operation, change);
}

/** The same for calls that are carried out: in a place of its own, unless it only reads. */
async function freshCall(operation: Operation) {
  const prepare = calls[operation.id]?.prepare;
  const own = operation.method === "GET" && prepare === undefined ? place : await newPlace(server);
  await prepare?.(own);
  return Object.assign((change: Change = {}) => callIn(own, operation, change), { place: own });
}

function callIn(where: Place, operation: Operation, change: Change): Promise<Reply> {
  const json = change.text === undefined ? undefined : { type: "application/json", data: change.text };
  const body = "body" in change ? change.body : bodyOf(operation, where);
  const content = change.form ?? json ?? contentOf(operation, body);
  const headers = {
    ...(content === undefined ? {} : { "content-type": content.type }),
    ...headersOf(operation, where, change.key),
    ...change.headers,
  };
  const sent = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== null);
  return send(
    server.url,
    operation.method,
    change.path ?? pathOf(operation, where),
    Object.fromEntries(sent),
    content?.data,
  );
}

/** What a valid call is answered: a success, or what the registry says of one that cannot succeed here. */
function expectValid(reply: Reply, operation: Operation): void {
  const refused = calls[operation.id]?.refused;
  if (refused === undefined) expectSuccess(reply, operation);
  else {
    expectProblem(reply, refused.code, operation);
    if (refused.naming !== undefined) expectNamed(reply, refused.naming);
  }
}

function madeUpKey(): string {
  const random = randomBytes(32).toString("base64url");
  return `lum_${random}${crc32(random).toString(16).padStart(8, "0")}`;
}

/** The fields a body may have, in any of its forms. */
function fieldsOf(schema: z.ZodType | undefined): string[] {
  return [...new Set(formsOf(schema).flatMap((form) => Object.keys(Object(form.properties))))];
}

/** Those it must have in every form. */
function requiredOf(schema: z.ZodType): string[] {
  const [first = [], ...others] = formsOf(schema).map((form) =>
    Array.isArray(form.required) ? form.required : [],
  );
  return first.filter((field) => others.every((required) => required.includes(field))).map(String);
}

function formsOf(schema: z.ZodType | undefined): Record<string, unknown>[] {
  if (schema === undefined) return [];
  const whole: Record<string, unknown> = {
    ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }),
  };
  const forms = whole.oneOf ?? whole.anyOf;
  return Array.isArray(forms) ? forms.map((form) => ({ ...Object(form) })) : [whole];
}

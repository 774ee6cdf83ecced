import { describe, expect, test } from "vitest";
import { failedAnswer, retryAfter } from "./failed-answer.ts";

const call = { provider: "vendor", secrets: ["sk-secret", ""] };
const answer = (status: number, body: string, headers = {}) =>
  failedAnswer({ status, headers: new Headers(headers) }, body, call);

describe("a failed answer", () => {
  test.each([
    [
      "OpenAI",
      401,
      '{"error":{"message":"Incorrect API key provided: sk-secret.","code":"invalid_api_key"}}',
      "unauthorized",
      "vendor answered 401: Incorrect API key provided: [redacted].",
    ],
    [
      "OpenAI, out of credit",
      429,
      '{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}',
      "quota_exhausted",
      "vendor answered 429: You exceeded your current quota",
    ],
    [
      "OpenAI, too long",
      400,
      '{"error":{"message":"This model\'s maximum context length is 8192 tokens, however you requested 9000"}}',
      "input_too_large",
      null,
    ],
    [
      "OpenAI, too many tokens",
      400,
      '{"error":{"message":"Requested 400000 tokens, max 300000 tokens per request"}}',
      "input_too_large",
      null,
    ],
    [
      "Google, wrong key",
      400,
      '{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}',
      "unauthorized",
      null,
    ],
    [
      "Cohere",
      400,
      '{"message":"invalid request: total number of texts must be at most 96"}',
      "input_too_large",
      null,
    ],
    [
      "Voyage",
      400,
      '{"detail":"The max allowed tokens per submitted batch is 120000."}',
      "input_too_large",
      null,
    ],
    [
      "TEI, batch",
      422,
      '{"error":"batch size 64 > maximum allowed batch size 32","error_type":"Validation"}',
      "input_too_large",
      null,
    ],
    [
      "TEI, text",
      413,
      '{"error":"Input validation error: `inputs` must have less than 512 tokens. Given: 600"}',
      "input_too_large",
      null,
    ],
    [
      "Ollama",
      404,
      '{"error":"model \\"x\\" not found, try pulling it first"}',
      "not_found",
      'vendor answered 404: model "x" not found, try pulling it first',
    ],
    [
      "S3",
      403,
      "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
      "unauthorized",
      "vendor answered 403: AccessDenied: Access Denied",
    ],
    [
      "FastAPI",
      422,
      '{"detail":[{"loc":["body"],"msg":"field required"}]}',
      "rejected",
      "vendor answered 422",
    ],
    ["a proxy", 502, "<html>Bad Gateway</html>", "unavailable", "vendor answered 502"],
  ])("of %s is understood", (_name, status, body, code, message) => {
    const error = answer(status, body);
    expect(error).toMatchObject({ code, status, provider: "vendor" });
    expect(error.retryable).toBe(code === "unavailable");
    if (message !== null) expect(error.message).toBe(message);
  });

  test("is worth another try when it is a limit or a breakdown, not when it is a missing feature", () => {
    expect([429, 408, 500, 502, 503, 504, 529].map((status) => answer(status, "").retryable)).not.toContain(
      false,
    );
    expect([400, 401, 403, 404, 409, 422, 501].map((status) => answer(status, "").retryable)).not.toContain(
      true,
    );
  });

  test("tells how long to wait, from the header or from Google's details", () => {
    expect(answer(429, "", { "retry-after": "2" }).retryAfterMs).toBe(2_000);
    const google = '{"error":{"message":"m","details":[{"@type":"t"},{"retryDelay":"34.5s"}]}}';
    expect(answer(429, google).retryAfterMs).toBe(34_500);
    expect(answer(429, "").retryAfterMs).toBeNull();
  });

  test("keeps a vendor's sermon short", () => {
    expect(answer(400, JSON.stringify({ message: "x".repeat(10_000) })).message.length).toBeLessThan(400);
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  test.each([
    [{ "retry-after": "1.5" }, 1_500],
    [{ "retry-after": "Thu, 01 Jan 2026 00:00:10 GMT" }, 10_000],
    [{ "retry-after": "Thu, 01 Jan 2015 00:00:10 GMT" }, 0],
    [{ "retry-after": "soon" }, null],
    [{ "retry-after-ms": "250", "retry-after": "1" }, 250],
    [{}, null],
  ])("%j is %s ms", (headers, expected) => {
    expect(retryAfter(new Headers(headers), now)).toBe(expected);
  });
});

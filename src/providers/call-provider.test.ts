import { inspect } from "node:util";
import { expect, test } from "vitest";
import { callProvider } from "./call-provider.ts";

test("a key that cannot be sent is not in the error, nor in what caused it", async () => {
  const call = callProvider({
    provider: "someone",
    fetch,
    url: "http://127.0.0.1:9/",
    headers: { authorization: "Bearer sk-secret\nmore" },
    timeoutMs: 1_000,
    secrets: ["sk-secret"],
  });
  const error = await call.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "unavailable", retryable: true });
  expect(inspect(error, { depth: 10 })).not.toContain("sk-secret");
});

import { describe, expect, test } from "vitest";
import { expectProblem } from "../../test/expectations.ts";
import { client, newKey, newPartner, startTestServer } from "../../test/support.ts";
import { createRateLimiter } from "./limits.ts";

describe("the rate limit", () => {
  test("lets each key through so often a minute, then answers 429 with Retry-After", async () => {
    const server = await startTestServer({ RATE_LIMIT_PER_MINUTE: "5" });
    const partner = await newPartner(server.app);
    const api = client(server.url, partner.key);
    const remaining = [];
    for (let i = 0; i < 5; i += 1) {
      const { status, headers } = await api.get("/v1/auth");
      expect(status).toBe(200);
      expect(headers.get("ratelimit-policy")).toBe('"default";q=5;w=60');
      remaining.push(/^"default";r=(\d+);t=\d+$/.exec(headers.get("ratelimit") ?? "")?.[1]);
    }
    expect(remaining).toEqual(["4", "3", "2", "1", "0"]);

    const refused = await api.get("/v1/auth");
    expectProblem(refused, "rate_limited");
    const seconds = Number(refused.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(refused.headers.get("ratelimit")).toBe(`"default";r=0;t=${seconds}`);

    const other = client(server.url, await newKey(server.app, partner.id));
    expect((await other.get("/v1/auth")).status).toBe(200);
    await server.close();
  });

  test("counts what is refused as well, once the key is known", async () => {
    const server = await startTestServer({ RATE_LIMIT_PER_MINUTE: "4" });
    const { key } = await newPartner(server.app);
    const guessing = client(server.url, key, "0192f0c1-2b3c-7d4e-8f50-61728394a5b6");
    for (let i = 0; i < 4; i += 1) expectProblem(await guessing.get("/v1/orgs"), "account_forbidden");
    expectProblem(await guessing.get("/v1/orgs"), "rate_limited");
    const nobody = client(server.url, `${key.slice(0, -1)}x`);
    for (let i = 0; i < 6; i += 1) expectProblem(await nobody.get("/v1/auth"), "invalid_api_key");
    await server.close();
  });

  test("begins anew with the next minute", () => {
    let time = 1_000;
    const limiter = createRateLimiter(2, () => time);
    const count = () => limiter?.count("key");
    expect(count()).toEqual({ allowed: true, remaining: 1, resetSeconds: 60 });
    time += 30_500;
    expect(count()).toEqual({ allowed: true, remaining: 0, resetSeconds: 30 });
    expect(count()).toEqual({ allowed: false, remaining: 0, resetSeconds: 30 });
    time += 29_500;
    expect(count()).toEqual({ allowed: true, remaining: 1, resetSeconds: 60 });
  });

  test("of zero is none", () => {
    expect(createRateLimiter(0, () => 0)).toBeUndefined();
  });
});

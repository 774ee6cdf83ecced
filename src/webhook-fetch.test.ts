import { afterAll, describe, expect, test } from "vitest";
import { startWebhookReceiver } from "../test/simulators/webhook-receiver/webhook-receiver.ts";
import { testServer } from "../test/support.ts";
import { createWebhookFetch } from "./webhook-fetch.ts";

const { app } = await testServer();
const receiver = await startWebhookReceiver();
afterAll(() => receiver.close());

const request = { method: "POST", body: "{}", maxBytes: 1_000, timeoutMs: 5_000 } as const;
const port = new URL(receiver.url).port;

describe("the way to webhook endpoints", () => {
  const inDevelopment = createWebhookFetch(app.config);
  const inProduction = createWebhookFetch({ ...app.config, publicUrl: "https://lumen.example.com" });

  test("leads to this machine by the name localhost, outside production", async () => {
    const answer = await inDevelopment(`http://localhost:${port}/hooks/x`, request);
    answer.body.resume();
    // It is there, and does not believe what is not signed.
    expect(answer.status).toBe(415);
  });

  test.each([
    ["localhost in production", inProduction, `http://localhost:${port}/hooks/x`],
    ["a private address", inDevelopment, `http://127.0.0.1:${port}/hooks/x`],
    ["a private address at a usual port", inDevelopment, "https://192.168.0.1/hooks"],
    ["localhost by https", inDevelopment, "https://localhost/hooks"],
    ["cloud metadata", inDevelopment, "https://169.254.169.254/latest"],
    ["a port that is no web server's", inDevelopment, "https://1.1.1.1:25/"],
  ])("does not lead to %s", async (_what, fetchWebhook, url) => {
    const before = receiver.requests.length;
    await expect(fetchWebhook(url, request)).rejects.toMatchObject({ code: "address_refused" });
    expect(receiver.requests.length).toBe(before);
  });

  test("ends at a redirect, which is an answer", async () => {
    receiver.fail({
      fault: { kind: "status", status: 302, headers: { location: receiver.urlOf("y") } },
      times: 1,
    });
    const answer = await inDevelopment(receiver.urlOf("x"), { ...request, redirects: "answer" });
    answer.body.resume();
    expect(answer.status).toBe(302);
    expect(receiver.requests.at(-1)?.path).toBe("/hooks/x");
  });
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { uploadText } from "../../test/document-support.ts";
import {
  startWebhookReceiver,
  type WebhookReceiver,
} from "../../test/simulators/webhook-receiver/webhook-receiver.ts";
import { hex, newWorld, startTestServer, type TestServer, type World } from "../../test/support.ts";
import { arrival, newEndpoint } from "../../test/webhook-support.ts";

let server: TestServer;
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
  server = await startTestServer();
});
afterAll(async () => {
  await server.close();
  await receiver.close();
});

const into = ({ workspaceSlug }: World) => ({ addToWorkspaces: workspaceSlug });

test("a partner hears of every document that was embedded or could not be read, by the short way and the long", async () => {
  const world = await newWorld(server);
  const endpoint = await newEndpoint(world.api, receiver);
  const short = await uploadText(server, world, "a.txt", "Read while it was sent.", into(world));
  const long = await uploadText(server, world, "b.csv", "what,how\nread,by a job", into(world));
  const broken = await uploadText(server, world, "c.json", '{"a": }');
  expect([short.status, long.status, broken.status]).toEqual([200, 200, 422]);
  const events = await arrival(receiver, endpoint, 3);
  const told = events
    .map(({ type, data }) => ({ type, ...data }))
    .toSorted((a, b) => (a.type < b.type ? -1 : 1));
  const inWorkspace = {
    type: "document.embedded",
    workspace_id: world.workspaceId,
    chunks: 1,
    tokens: expect.any(Number),
  };
  expect(told).toHaveLength(3);
  expect(told).toContainEqual({ ...inWorkspace, document_id: short.body.documents[0].id });
  expect(told).toContainEqual({ ...inWorkspace, document_id: long.body.documents[0].id });
  expect(told[2]).toMatchObject({ type: "document.failed", workspace_id: null, code: "damaged" });
});

test("documents and searches are counted as usage", async () => {
  const world = await newWorld(server);
  await uploadText(server, world, "a.txt", "The lighthouse keeper sleeps by day.", into(world));
  await uploadText(server, world, "b.csv", "who,when\nthe keeper,by day", into(world));
  await world.api.post(`/v1/workspace/${hex(world.workspaceSlug)}/vector-search`, { query: "keeper" });
  await world.api.post(`/v1/workspace/${hex(world.workspaceSlug)}/vector-search`, { query: "lighthouse" });
  await expect
    .poll(async () => (await world.api.get("/v1/usage")).body.totals, { timeout: 10_000 })
    .toMatchObject({ documents: 2, searches: 2 });
});

import { afterAll, expect, test } from "vitest";
import { newWorld, startTestServer } from "../../test/support.ts";
import { appendCallEvents, appendReports } from "./append-call-events.ts";
import { openCall } from "./open-call.ts";
import { endLostCalls } from "./sweep-calls.ts";
import { callOwner } from "./test-support.ts";

/** Of its own: a sweep looks at every call there is. */
const server = await startTestServer();
const { app } = server;
afterAll(() => server.close());

test("what a carrier reports keeps no call alive whose process died, and makes it no longer", async () => {
  const world = await newWorld(server);
  const owner = callOwner(world);
  const [quiet, reported] = [await answeredCall(), await answeredCall()];
  const lease = new Date(app.now().getTime() - 1);
  await app.db.asSystem("superadmin", (tx) =>
    tx.updateTable("calls").set({ lease_until: lease }).where("id", "in", [quiet, reported]).execute(),
  );
  for (const status of ["in-progress", "completed", "completed"])
    await appendReports(app, owner, reported, [
      { kind: "provider_status", status, at: app.now(), key: `status:${status}` },
    ]);
  expect(await endLostCalls(app)).toBe(2);
  const { ended_at: end } = await show(quiet);
  expect(end).not.toBeNull();
  expect(await show(reported)).toMatchObject({ ended_reason: "process_lost", ended_at: end });

  async function answeredCall(): Promise<string> {
    const startedAt = new Date(app.now().getTime() - 600_000);
    const { id } = await openCall(app, owner, {
      direction: "inbound",
      provider: "twilio",
      providerCallId: app.newId(),
      from: null,
      to: null,
      numberId: null,
      configuration: null,
      startedAt,
    });
    await appendCallEvents(app, owner, id, [{ kind: "answered", at: startedAt }]);
    return id;
  }

  async function show(id: string) {
    return (await world.api.get(`/v1/voice-integration/call-logs/${id}`)).body.call_log;
  }
});

import { describe, expect, test } from "vitest";
import { expectProblem } from "../../test/expectations.ts";
import { newPlace } from "../../test/registry.ts";
import { client, hex, startTestServer, testServer } from "../../test/support.ts";
import { eraseSteps } from "../areas.ts";
import type { EraseStep, ErasureTarget } from "./erase-step.ts";
import { beginErasure } from "./erasure.ts";

/** A step that waits or fails when a test wants it to, behind the first `at` of the steps that there are. */
function createTrouble(at: number) {
  const trouble = { failures: 0, runs: [] as ErasureTarget[], gate: Promise.resolve() };
  const step: EraseStep = {
    name: "trouble",
    async erase(_app, target) {
      trouble.runs.push(target);
      await trouble.gate;
      if (trouble.failures === 0) return;
      trouble.failures -= 1;
      throw new Error("the provider is away");
    },
  };
  return { trouble, steps: [...eraseSteps.slice(0, at), step, ...eraseSteps.slice(at)] };
}

/** How many rows of the place's organization are left. */
async function rowsLeft(
  { app }: { app: Awaited<ReturnType<typeof testServer>>["app"] },
  organizationId: number,
) {
  return app.db.asSystem("superadmin", async (tx) => {
    const organizations = await tx
      .selectFrom("organizations")
      .select("id")
      .where("id", "=", organizationId)
      .execute();
    const below = [];
    for (const table of ["workspaces", "tools", "workspace_tools", "api_keys"] as const) {
      below.push(
        ...(await tx
          .selectFrom(table)
          .select("organization_id")
          .where("organization_id", "=", organizationId)
          .execute()),
      );
    }
    return { organizations: organizations.length, below: below.length };
  });
}

describe("an erasure", () => {
  test("whose step fails is tried again, and what was done before does no harm the second time", async () => {
    const { trouble, steps } = createTrouble(2);
    const server = await startTestServer({}, { eraseSteps: steps });
    const place = await newPlace(server);
    trouble.runs = [];
    trouble.failures = 1;
    const reply = await place.api.delete(`/v1/org/${hex(place.orgSlug)}`);
    expect(reply.body).toEqual({ success: true });
    expect(trouble.runs).toHaveLength(2);
    expect(await rowsLeft(server, place.organizationId)).toEqual({ organizations: 0, below: 0 });
    await server.close();
  });

  test("that is under way is out of sight already: nothing beneath is found, listed, changed or counted", async () => {
    const { trouble, steps } = createTrouble(0);
    const server = await startTestServer({}, { eraseSteps: steps });
    const place = await newPlace(server);
    const { promise, resolve } = Promise.withResolvers<void>();
    trouble.gate = promise;
    trouble.runs = [];
    const erasing = place.api.delete(`/v1/org/${hex(place.orgSlug)}`);
    while (trouble.runs.length === 0) await new Promise((done) => setTimeout(done, 20));

    const org = `/v1/org/${hex(place.orgSlug)}`;
    expectProblem(await place.api.get(org), "not_found");
    expectProblem(await place.api.delete(org), "not_found");
    expectProblem(await place.api.post(`${org}/workspaces`, { name: "New" }), "not_found");
    expectProblem(await place.api.get(`/v1/workspace/${hex(place.workspaceSlug)}`), "not_found");
    expectProblem(await place.api.patch(`${org}/tools/${place.toolId}`, { enabled: false }), "not_found");
    const attaching = { tool_id: place.toolId };
    expectProblem(
      await place.api.post(`/v1/workspace/${hex(place.workspaceSlug)}/tools`, attaching),
      "not_found",
    );
    expect((await place.api.get("/v1/orgs")).body.organizations).toEqual([]);
    const again = await place.api.post("/v1/orgs", { name: "Again", slug: place.orgSlug });
    const workspace = await place.api.post(`${org}/workspaces`, { name: "W", slug: place.workspaceSlug });
    expect([again.status, workspace.status]).toEqual([200, 200]);

    resolve();
    expect((await erasing).body).toEqual({ success: true });
    expect(await rowsLeft(server, place.organizationId)).toEqual({ organizations: 0, below: 0 });
    expect((await place.api.get(org)).body.organization.id).toBe(again.body.organization.id);
    expect((await place.api.get(`/v1/workspace/${hex(place.workspaceSlug)}`)).body.workspace.id).toBe(
      workspace.body.workspace.id,
    );
    await server.close();
  });

  test("that outlives the request is answered 202 with its job, at once when the server stops", async () => {
    const { trouble, steps } = createTrouble(2);
    const server = await startTestServer({}, { eraseSteps: steps });
    const place = await newPlace(server);
    const { promise, resolve } = Promise.withResolvers<void>();
    trouble.gate = promise;
    trouble.runs = [];
    const erasing = client(server.url, place.partner.key).delete(`/v1/accounts/${place.accountId}`, {
      confirm: place.accountName,
    });
    while (trouble.runs.length === 0) await new Promise((done) => setTimeout(done, 20));
    const since = performance.now();
    server.app.queue.stopWaiting();
    const reply = await erasing;
    expect(performance.now() - since).toBeLessThan(3_000);
    expect(reply.status).toBe(202);
    expect(reply.body).toEqual({ success: true, job_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });

    const own = client(server.url, place.partner.key);
    const job = (await own.get(`/v1/jobs/${reply.body.job_id}`)).body.job;
    expect(job).toMatchObject({ kind: "erase", status: "running", progress: { done: 2, step: "trouble" } });
    resolve();
    let status = "running";
    while (status === "running") {
      await new Promise((done) => setTimeout(done, 20));
      status = (await own.get(`/v1/jobs/${reply.body.job_id}`)).body.job.status;
    }
    expect(status).toBe("succeeded");
    expect(await rowsLeft(server, place.organizationId)).toEqual({ organizations: 0, below: 0 });
    await server.close();
  });

  test("may be run again after it is done, and leaves what has come since alone", async () => {
    const server = await testServer();
    const place = await newPlace(server);
    const { app } = server;
    const target: ErasureTarget = {
      level: "organization",
      partnerId: place.partner.id,
      accountId: place.accountId,
      organizationId: place.organizationId,
    };
    await place.api.delete(`/v1/org/${hex(place.orgSlug)}`);
    const { body } = await place.api.post("/v1/orgs", { name: "Again", slug: place.orgSlug });
    const job = await app.db.asTenant({ partnerId: place.partner.id, accountId: place.accountId }, (tx) =>
      beginErasure(app, tx, target),
    );
    expect(await app.queue.wait(job, 20_000)).toMatchObject({ status: "succeeded" });
    expect((await place.api.get(`/v1/org/${body.organization.slug}`)).status).toBe(200);
  });

  test("of a workspace or an organization leaves its neighbours as they were", async () => {
    const server = await testServer();
    const place = await newPlace(server);
    const neighbour = await newPlace(server, place);
    await place.api.delete(`/v1/workspace/${hex(place.workspaceSlug)}`);
    expect((await place.api.get(`/v1/org/${hex(place.orgSlug)}/tools`)).body.tools).toHaveLength(1);
    await place.api.delete(`/v1/org/${hex(place.orgSlug)}`);
    expect(await rowsLeft(server, place.organizationId)).toEqual({ organizations: 0, below: 0 });
    expect((await place.api.get(`/v1/workspace/${hex(neighbour.workspaceSlug)}`)).status).toBe(200);
    expect((await place.api.get(`/v1/org/${hex(neighbour.orgSlug)}/tools`)).body.tools).toHaveLength(1);
  });

  test("that two ask for at once is done once", async () => {
    const server = await testServer();
    const place = await newPlace(server);
    const rush = Array.from({ length: 6 }, () => place.api.delete(`/v1/org/${hex(place.orgSlug)}`));
    const statuses = (await Promise.all(rush)).map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 404, 404, 404, 404, 404]);
  });
});

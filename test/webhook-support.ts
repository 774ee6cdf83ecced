import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { App } from "../src/context.ts";
import type { EventType } from "../src/webhooks/event-types.ts";
import { type EventTenant, recordEvent } from "../src/webhooks/record-event.ts";
import { waitUntil } from "./fault/process.ts";
import type { WebhookReceiver } from "./simulators/webhook-receiver/webhook-receiver.ts";
import type { Client, World } from "./support.ts";

/** An endpoint at the receiver. */
export interface TestEndpoint {
  id: string;
  /** Its name at the receiver. */
  name: string;
  secret: string;
}

export async function newEndpoint(
  api: Client,
  receiver: WebhookReceiver,
  fields: object = {},
): Promise<TestEndpoint> {
  const name = randomUUID();
  const { status, body } = await api.post("/v1/webhook-endpoints", { url: receiver.urlOf(name), ...fields });
  if (status !== 200) throw new Error(JSON.stringify(body));
  receiver.learn(name, body.secret);
  return { id: body.webhook_endpoint.id, name, secret: body.secret };
}

export function tenantOf(world: World): EventTenant & { accountId: string } {
  const { partner, accountId, organizationId, workspaceId } = world;
  return { partnerId: partner.id, accountId, organizationId, workspaceId };
}

/** As a room does, in a transaction of the tenant. */
export async function record(
  app: App,
  world: World,
  subjectId: string | number,
  { type = "document.embedded", data = {} }: { type?: EventType; data?: Record<string, unknown> } = {},
): Promise<void> {
  const tenant = tenantOf(world);
  await app.db.asTenant({ partnerId: tenant.partnerId, accountId: tenant.accountId }, (tx) =>
    recordEvent(app, tx, tenant, { type, subject: { kind: "document", id: subjectId }, data }),
  );
}

/** Makes what waits for its next attempt due now. */
export async function hurry(app: App, endpoint: TestEndpoint): Promise<void> {
  await app.db.asSystem("superadmin", (tx) =>
    sql`update webhook_deliveries set due_at = now() where endpoint_id = ${endpoint.id} and status = 'pending'`.execute(
      tx,
    ),
  );
  app.deliveries.wake();
}

/** Waits until the receiver has accepted so many of the endpoint's events. */
export async function arrival(receiver: WebhookReceiver, endpoint: TestEndpoint, count: number) {
  await waitUntil(`${count} events arrived`, 10_000, () => receiver.accepted(endpoint.name).length >= count);
  return receiver.accepted(endpoint.name);
}

// biome-ignore lint/suspicious/noExplicitAny: tests read answers as a client without types does
export async function deliveriesOf(api: Client, endpoint: TestEndpoint, query = ""): Promise<any[]> {
  return (await api.get(`/v1/webhook-endpoints/${endpoint.id}/deliveries${query}`)).body.deliveries;
}

/** The endpoint's newest delivery, once it is as `holds` says. */
export async function deliveryWhen(
  api: Client,
  endpoint: TestEndpoint,
  // biome-ignore lint/suspicious/noExplicitAny: as above
  holds: (delivery: any) => boolean,
) {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  let found: any;
  await waitUntil("the delivery is as expected", 20_000, async () => {
    found = (await deliveriesOf(api, endpoint))[0];
    return found !== undefined && holds(found);
  });
  return found;
}

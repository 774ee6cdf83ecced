import { setTimeout as sleep } from "node:timers/promises";
import { type Selectable, sql, type UpdateObject } from "kysely";
import { afterAll } from "vitest";
import type { App } from "../src/context.ts";
import type { Tx } from "../src/db/database.ts";
import type { Tables } from "../src/db/tables.ts";
import { sealPin, sealToken } from "../src/whatsapp/connection.ts";
import type { WhatsAppTables } from "../src/whatsapp/whatsapp.tables.ts";
import { type MetaSimulator, startMeta } from "./simulators/meta/meta.ts";
import type { SimBusiness, SimNumber } from "./simulators/meta/meta-world.ts";
import { newWorld, startTestServer, type TestParts, type TestServer, type World } from "./support.ts";

export type Connection = Selectable<WhatsAppTables["whatsapp_connections"]>;
export type InboxRow = Selectable<WhatsAppTables["whatsapp_inbox"]>;
export type Message = Selectable<WhatsAppTables["whatsapp_messages"]>;

/** A workspace with a number that is connected, as the onboarding leaves it. */
export interface Connected extends World {
  number: SimNumber;
  connectionId: string;
}

/** As Meta shows a number that messages can be sent from. */
const REGISTERED = { platformType: "CLOUD_API", status: "CONNECTED" } as const;
const SETTLED_MS = 10_000;

/** A server that Meta's stand-in calls. Both end with the tests of the file. */
export async function startWithMeta(environment: Record<string, string> = {}, parts: TestParts = {}) {
  const meta = await startMeta();
  const server = await startTestServer({ ...meta.environment(), ...environment }, parts);
  afterAll(async () => {
    await server.close();
    await meta.close();
  });
  return { meta, server };
}

export async function newConnected(
  server: TestServer,
  meta: MetaSimulator,
  given: {
    business?: SimBusiness;
    number?: SimNumber;
    world?: World;
    change?: UpdateObject<Tables, "whatsapp_connections">;
  } = {},
): Promise<Connected> {
  const world = given.world ?? (await newWorld(server));
  const business = given.business ?? meta.addBusiness({ numbers: [REGISTERED] });
  const number = given.number ?? firstNumber(business.numbers);
  const { app } = server;
  const connectionId = app.newId();
  await asSystem(app, (tx) =>
    tx
      .insertInto("whatsapp_connections")
      .values({
        partner_id: world.partner.id,
        account_id: world.accountId,
        organization_id: world.organizationId,
        workspace_id: world.workspaceId,
        id: connectionId,
        status: "active",
        step: "finished",
        waba_id: number.wabaId,
        phone_number_id: number.id,
        display_phone_number: number.displayPhoneNumber,
        phone: `+${number.digits}`,
        token: sealToken(app, connectionId, meta.issueToken(business)),
        pin: sealPin(app, connectionId, "123456"),
        connected_at: sql<Date>`now() - interval '1 day'`,
        created_at: sql<Date>`now() - interval '1 day'`,
      })
      .execute(),
  );
  if (given.change !== undefined) await changeConnection(app, connectionId, given.change);
  return { ...world, number, connectionId };
}

/** Two numbers of one WhatsApp account, each in a workspace of its own. */
export async function newConnectedPair(
  server: TestServer,
  meta: MetaSimulator,
): Promise<readonly [Connected, Connected]> {
  const business = meta.addBusiness({ numbers: [REGISTERED, REGISTERED] });
  const [one, other] = business.numbers;
  if (one === undefined || other === undefined) throw new Error("the business has no two numbers");
  return [
    await newConnected(server, meta, { business, number: one }),
    await newConnected(server, meta, { business, number: other }),
  ];
}

function firstNumber(numbers: readonly SimNumber[]): SimNumber {
  const [number] = numbers;
  if (number === undefined) throw new Error("the business has no number");
  return number;
}

export async function changeConnection(
  app: App,
  id: string,
  change: UpdateObject<Tables, "whatsapp_connections">,
): Promise<void> {
  await asSystem(app, (tx) =>
    tx.updateTable("whatsapp_connections").set(change).where("id", "=", id).execute(),
  );
}

export function connectionOf(app: App, { connectionId }: Connected): Promise<Connection> {
  return asSystem(app, (tx) =>
    tx
      .selectFrom("whatsapp_connections")
      .selectAll()
      .where("id", "=", connectionId)
      .executeTakeFirstOrThrow(),
  );
}

export function inboxOf(app: App, { connectionId }: Connected): Promise<InboxRow[]> {
  return asSystem(app, (tx) =>
    tx
      .selectFrom("whatsapp_inbox")
      .selectAll()
      .where("connection_id", "=", connectionId)
      .orderBy("id")
      .execute(),
  );
}

/** Until nothing of the connection waits but what people said. Gives its rows. */
export function settled(app: App, connected: Connected): Promise<InboxRow[]> {
  const isSettled = ({ kind, state }: InboxRow) =>
    kind === "message" || kind === "echo" || state !== "waiting";
  return inboxWhen(app, connected, (rows) => rows.every(isSettled));
}

/** The rows of the connection, as soon as they are as wanted. */
export async function inboxWhen(
  app: App,
  connected: Connected,
  holds: (rows: readonly InboxRow[]) => boolean,
): Promise<InboxRow[]> {
  const deadline = performance.now() + SETTLED_MS;
  for (;;) {
    const rows = await inboxOf(app, connected);
    if (holds(rows)) return rows;
    if (performance.now() > deadline) throw new Error(`the inbox stays ${JSON.stringify(rows)}`);
    await sleep(20);
  }
}

/** What waits for a later look is looked at now. */
export async function hurry(app: App, { connectionId }: Connected): Promise<void> {
  await asSystem(app, (tx) =>
    tx
      .updateTable("whatsapp_inbox")
      .set({ due_at: sql<Date>`now()` })
      .where("connection_id", "=", connectionId)
      .where("state", "=", "waiting")
      .execute(),
  );
}

/** A message of ours, as it is before anything is known of it. */
export async function newMessage(
  app: App,
  { partner, accountId, organizationId, workspaceId, connectionId, number }: Connected,
  change: Partial<Pick<Message, "state" | "wamid">> = {},
): Promise<string> {
  const owner = {
    partner_id: partner.id,
    account_id: accountId,
    organization_id: organizationId,
    workspace_id: workspaceId,
  };
  const contactId = app.newId();
  const id = app.newId();
  await asSystem(app, async (tx) => {
    await tx
      .insertInto("whatsapp_contacts")
      .values({ ...owner, id: contactId, phone_number_id: number.id, phone: contactId.slice(-12) })
      .execute();
    await tx
      .insertInto("whatsapp_messages")
      .values({
        ...owner,
        id,
        connection_id: connectionId,
        contact_id: contactId,
        kind: "answer",
        body: sql`'{}'::json`,
        ...change,
      })
      .execute();
  });
  return id;
}

export function messageOf(app: App, id: string): Promise<Message> {
  return asSystem(app, (tx) =>
    tx.selectFrom("whatsapp_messages").selectAll().where("id", "=", id).executeTakeFirstOrThrow(),
  );
}

/** The events of a connection that a partner with an endpoint would be sent. */
export async function eventsOf(
  app: App,
  { connectionId }: Connected,
): Promise<{ type: string; data: unknown }[]> {
  return asSystem(app, (tx) =>
    tx
      .selectFrom("webhook_events")
      .select(["type", "data"])
      .where("subject_id", "=", connectionId)
      .orderBy("sequence")
      .execute(),
  );
}

function asSystem<T>(app: App, work: (tx: Tx) => Promise<T>): Promise<T> {
  return app.db.asSystem("superadmin", work);
}

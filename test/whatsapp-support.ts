import { sealToken } from "../src/whatsapp/connection.ts";
import type { ConnectionStatus } from "../src/whatsapp/whatsapp.tables.ts";
import { type ChatWorld, newChatWorld, until } from "./chat-support.ts";
import { type MetaSimulator, startMeta } from "./simulators/meta/meta.ts";
import type { SimBusiness, SimNumber } from "./simulators/meta/meta-world.ts";
import type { InboundMessage } from "./simulators/meta/webhook-payloads.ts";
import type { TestServer } from "./support.ts";

let meta: Promise<MetaSimulator> | undefined;

/** Meta for all test files of a worker. */
export function sharedMeta(): Promise<MetaSimulator> {
  meta ??= startMeta();
  return meta;
}

/** Short enough for tests, long enough that two requests in a row are one question. */
export const QUICK = {
  debounce: { quietMs: 150, maxMs: 600 },
  sendingGraceMs: 600,
  again: { firstMs: 50, suspendedMs: 200 },
};

/** Somebody with a phone, who writes. */
export interface Writer {
  from: string | null;
  bsuid: string | null;
  name: string;
}

let writers = 0;

export function newWriter(change: Partial<Writer> = {}): Writer {
  writers += 1;
  const digits = String(writers).padStart(7, "0");
  return { from: `1650${digits}`, bsuid: `US.${process.pid}${digits}`, name: "Ada Lovelace", ...change };
}

/** A workspace with a number that people can write to. */
export interface WhatsAppWorld extends ChatWorld {
  meta: MetaSimulator;
  business: SimBusiness;
  number: SimNumber;
  connectionId: string;
  /** Through Meta's webhook. */
  write(writer: Writer, message: string | InboundMessage, number?: SimNumber): Promise<void>;
  echo(writer: Writer, body: string): Promise<void>;
  /** What went out to this person, oldest first. */
  textsTo(writer: Writer): string[];
  /** Waits until so many texts went out to this person; all of them. */
  answered(writer: Writer, count?: number, withinMs?: number): Promise<string[]>;
  /** Waits until nothing of the inbox waits. */
  settled(withinMs?: number): Promise<void>;
  setConnection(status: ConnectionStatus): Promise<void>;
  /** The conversation with this person as the API shows it, messages oldest first. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as a client without types does
  conversation(writer: Writer): Promise<{ id: string; messages: any[]; [field: string]: any }>;
}

export async function newWhatsAppWorld(
  server: TestServer,
  simulator: MetaSimulator,
  texts: Readonly<Record<string, string>> = {},
  settings?: object,
  numbers: Partial<SimNumber>[] = [{}],
): Promise<WhatsAppWorld> {
  const world = await newChatWorld(server, texts, settings);
  const business = simulator.addBusiness({
    numbers: numbers.map((number) => ({ platformType: "CLOUD_API", status: "CONNECTED", ...number })),
  });
  const [number] = business.numbers;
  if (number === undefined) throw new Error("a business without a number");
  const connectionId = await connect(server, simulator, world, business, number);
  const isTo = ({ from, bsuid }: Writer, sent: { to: string | null; recipient: string | null }) =>
    (sent.to !== null && sent.to === from) || (sent.recipient !== null && sent.recipient === bsuid);
  const textsTo = (writer: Writer) =>
    simulator.sent
      .filter((sent) => sent.phoneNumberId === number.id && isTo(writer, sent))
      .map(({ body }) => textOf(body));
  const inbox = (state: "waiting") =>
    server.app.db.asSystem("whatsapp", (tx) =>
      tx
        .selectFrom("whatsapp_inbox")
        .select("id")
        .where("workspace_id", "=", world.workspaceId)
        .where("state", "=", state)
        .execute(),
    );
  return {
    ...world,
    ...{ meta: simulator, business, number, connectionId, textsTo },
    async write({ from, bsuid, name }, message, to = number) {
      const parts = typeof message === "string" ? { body: message } : message;
      const payload = simulator.webhook.message(to, { from, bsuid, name, ...parts });
      const [reply] = await simulator.webhook.send(server.url, payload);
      if (reply?.status !== 200) throw new Error(`the webhook answered ${reply?.status}`);
    },
    async echo({ from, bsuid }, body) {
      const payload = simulator.webhook.echo(number, {
        to: from,
        body,
        ...(bsuid === null ? {} : { bsuid }),
      });
      await simulator.webhook.send(server.url, payload);
    },
    async answered(writer, count = 1, withinMs = 10_000) {
      await until(() => textsTo(writer).length >= count, withinMs).catch(() => {
        throw new Error(`${textsTo(writer).length} of ${count} answers: ${JSON.stringify(textsTo(writer))}`);
      });
      return textsTo(writer);
    },
    settled: (withinMs = 10_000) => until(async () => (await inbox("waiting")).length === 0, withinMs),
    async setConnection(status) {
      await server.app.db.asSystem("whatsapp", async (tx) => {
        await tx.updateTable("whatsapp_connections").set({ status }).where("id", "=", connectionId).execute();
        await server.app.signals.raise(tx, "whatsapp");
      });
    },
    async conversation(writer) {
      const identity = encodeURIComponent(writer.bsuid ?? `+${writer.from}`);
      const { contacts } = (await world.api.get(`${world.path}/contacts?identity=${identity}`)).body;
      const list = await world.api.get(`${world.path}/conversations?contact_id=${contacts[0].id}`);
      const found = list.body.conversations[0];
      const { messages } = (await world.api.get(`${world.path}/conversations/${found.id}/messages`)).body;
      return { ...found, messages: messages.toReversed() };
    },
  };
}

/** As the onboarding leaves it. */
async function connect(
  server: TestServer,
  simulator: MetaSimulator,
  world: ChatWorld,
  business: SimBusiness,
  number: SimNumber,
): Promise<string> {
  const { app } = server;
  const id = app.newId();
  await app.db.asSystem("whatsapp", (tx) =>
    tx
      .insertInto("whatsapp_connections")
      .values({
        partner_id: world.partner.id,
        account_id: world.accountId,
        organization_id: world.organizationId,
        workspace_id: world.workspaceId,
        id,
        status: "active",
        step: "finished",
        waba_id: business.wabaId,
        business_id: business.businessId,
        phone_number_id: number.id,
        display_phone_number: number.displayPhoneNumber,
        phone: `+${number.digits}`,
        is_coexistence: number.isOnBizApp,
        token: sealToken(app, id, simulator.issueToken(business)),
        connected_at: app.now(),
      })
      .execute(),
  );
  return id;
}

function textOf(body: unknown): string {
  return typeof body === "object" && body !== null && "body" in body ? String(body.body) : "";
}

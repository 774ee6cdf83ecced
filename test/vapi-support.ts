import { sql } from "kysely";
import { newNumber, PUBLIC_URL, SHORT_WAITS } from "./call-support.ts";
import { type ChatServer, startChatServer, until } from "./chat-support.ts";
import type { Delivery, VapiCaller, VapiSide } from "./simulators/vapi/vapi-caller.ts";
import { ringVapi } from "./simulators/vapi/vapi-caller.ts";
import { startVapiSimulator, type VapiSimulator } from "./simulators/vapi/vapi-simulator.ts";
import { hex, type World } from "./support.ts";

const TWILIO = { TWILIO_ACCOUNT_SID: `AC${"0".repeat(32)}`, TWILIO_AUTH_TOKEN: "the-twilio-token" };

/** A server that speaks through Vapi, with a model that the test scripts. */
export interface VapiServer {
  server: ChatServer;
  vapi: VapiSimulator;
  side: VapiSide;
  /** Somebody calls, and is answered. */
  call(placed: { to: string; from?: string | null }, delivery?: Delivery): Promise<VapiCaller>;
  close(): Promise<void>;
}

export async function startVapiServer(settings: Record<string, string> = {}): Promise<VapiServer> {
  const vapi = await startVapiSimulator();
  vapi.state.twilioAccounts.set(TWILIO.TWILIO_ACCOUNT_SID, TWILIO.TWILIO_AUTH_TOKEN);
  const server = await startChatServer(
    { ...vapi.settings, PUBLIC_URL, CARRIER: "twilio", ...TWILIO, ...settings },
    { callWaits: SHORT_WAITS },
  );
  const side = { state: vapi.state, publicUrl: PUBLIC_URL, url: server.url };
  return {
    server,
    vapi,
    side,
    async call({ to, from = "+393331112222" }, delivery = {}) {
      const caller = await ringVapi(side, { to, from });
      if (caller === undefined) throw new Error(`nobody answers ${to} at Vapi`);
      await caller.answer(delivery);
      return caller;
    },
    async close() {
      await server.close();
      await vapi.close();
    },
  };
}

/** A number of the organization that Twilio carries. @returns its id and itself */
export async function insertTwilioNumber(server: ChatServer, world: World) {
  const number = newNumber();
  const { partner, accountId, organizationId } = world;
  const { rows } = await server.app.db.asSystem("superadmin", (tx) =>
    sql<{ id: number }>`
      insert into numbers (partner_id, account_id, organization_id, number, country, number_type, can_voice, can_sms,
        provider, provider_id)
      values (${partner.id}, ${accountId}, ${organizationId}, ${number}, 'IT', 'local', true, false, 'twilio',
        ${`PN${number.slice(1)}`})
      returning id`.execute(tx),
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error("the number was not inserted");
  return { id, number };
}

export function integrationPath({ workspaceSlug }: World): string {
  return `/v1/workspace/${hex(workspaceSlug)}/voice-integration`;
}

/** The integration, once it is in this state. */
export async function integrationIn(world: World, status: string) {
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as a client without types does
  let last: any;
  await until(async () => {
    last = (await world.api.get(integrationPath(world))).body.voice_integration;
    return last?.status === status;
  });
  return last;
}

/** Gives the workspace an assistant at Vapi that answers a number. @returns the number */
export async function linkAtVapi(
  server: ChatServer,
  world: World,
  configuration: object = {},
): Promise<string> {
  const { id, number } = await insertTwilioNumber(server, world);
  const made = await world.api.post(integrationPath(world), {
    number_id: id,
    firstMessage: "Hello, this is Acme.",
    transcriber: { provider: "deepgram", model: "nova-3", language: "en" },
    ...configuration,
  });
  if (made.status !== 200) throw new Error(JSON.stringify(made.body));
  await integrationIn(world, "active");
  return number;
}

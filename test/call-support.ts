import { generateKeyPairSync } from "node:crypto";
import { sql } from "kysely";
import { type CallWaits, USUAL_WAITS } from "../src/voice/turn/call-state.ts";
import { type ChatServer, startChatServer } from "./chat-support.ts";
import {
  type Caller,
  type CallPlaced,
  type CarrierSide,
  placeCall,
} from "./simulators/carrier/relay-caller.ts";
import type { CarrierKeys } from "./simulators/carrier/relay-signatures.ts";
import type { ScriptedAnswer } from "./simulators/chat-script.ts";
import { hex, startTestServer, type TestParts, type TestServer, type World } from "./support.ts";

export const PUBLIC_URL = "https://voice.example.com";
const AUTH_TOKEN = "0123456789abcdef0123456789abcdef";

/** Nobody wants to wait for a test as long as for a caller. */
export const SHORT_WAITS: CallWaits = {
  ...USUAL_WAITS,
  silenceMs: 60_000,
  keysMs: 60,
  speechMsPerChar: 0.2,
  farewellMs: 30,
};

/** A server that a carrier calls. */
export interface CallServer<Server extends TestServer = ChatServer> {
  server: Server;
  side: CarrierSide;
  call(placed: CallPlaced): Promise<Caller>;
}

const telnyx = generateKeyPairSync("ed25519");
/** As Telnyx shows it: the last 32 bytes of the usual form. */
const telnyxPublicKey = telnyx.publicKey
  .export({ format: "der", type: "spki" })
  .subarray(-32)
  .toString("base64");

export function carrierSettings(carrier: "twilio" | "telnyx"): Record<string, string> {
  return carrier === "twilio"
    ? {
        CARRIER: "twilio",
        TWILIO_ACCOUNT_SID: `AC${"0".repeat(32)}`,
        TWILIO_AUTH_TOKEN: AUTH_TOKEN,
        PUBLIC_URL,
      }
    : { CARRIER: "telnyx", TELNYX_API_KEY: "KEY0", TELNYX_PUBLIC_KEY: telnyxPublicKey, PUBLIC_URL };
}

export function carrierKeys(carrier: "twilio" | "telnyx"): CarrierKeys {
  return carrier === "twilio"
    ? { carrier, authToken: AUTH_TOKEN }
    : { carrier, privateKey: telnyx.privateKey };
}

/** With a model that the test scripts. */
export async function startCallServer(
  carrier: "twilio" | "telnyx",
  waits: Partial<CallWaits> = {},
  settings: Record<string, string> = {},
): Promise<CallServer> {
  const parts: TestParts = { callWaits: { ...SHORT_WAITS, ...waits } };
  const server = await startChatServer({ ...carrierSettings(carrier), ...settings }, parts);
  return callServer(server, carrier);
}

/** Without one. */
export async function startBareCallServer(carrier: "twilio" | "telnyx"): Promise<CallServer<TestServer>> {
  const server = await startTestServer(carrierSettings(carrier), { callWaits: SHORT_WAITS });
  return callServer(server, carrier);
}

function callServer<Server extends TestServer>(
  server: Server,
  carrier: "twilio" | "telnyx",
): CallServer<Server> {
  const side = { keys: carrierKeys(carrier), publicUrl: PUBLIC_URL, url: server.url };
  return { server, side, call: (placed) => placeCall(side, placed) };
}

/**
 * What the model answers to callers, one after the other. Whatever else it is asked, such as to sum up an earlier call,
 * uses none of that up.
 */
export function answerCallers({ model }: ChatServer, ...answers: ScriptedAnswer[]): void {
  const waiting = [...answers];
  model.chat.always(({ messages }) => {
    const isSummary = messages[0]?.text.startsWith("Sum up this phone call") === true;
    return (isSummary ? undefined : waiting.shift()) ?? { texts: ["Nothing more was scripted."] };
  });
}

let numbers = 0;

/** An E.164 number that no other test uses. */
export function newNumber(): string {
  numbers += 1;
  return `+3906${String(process.pid).padStart(7, "0").slice(-7)}${String(numbers).padStart(3, "0")}`;
}

/** Gives the world's organization a number, and its workspace an assistant that answers it. @returns the number */
export async function linkNumber(
  server: TestServer,
  world: World,
  configuration: object = {},
): Promise<string> {
  const number = newNumber();
  const { partner, accountId, organizationId, workspaceSlug, api } = world;
  const { rows } = await server.app.db.asSystem("superadmin", (tx) =>
    sql<{ id: number }>`
      insert into numbers (partner_id, account_id, organization_id, number, country, number_type, can_voice, can_sms, provider)
      values (${partner.id}, ${accountId}, ${organizationId}, ${number}, 'IT', 'local', true, false, 'manual')
      returning id`.execute(tx),
  );
  const made = await api.post(`/v1/workspace/${hex(workspaceSlug)}/voice-integration`, {
    number_id: rows[0]?.id,
    firstMessage: "Hello, this is Acme.",
    transcriber: { provider: "deepgram", model: "nova-3", language: "en" },
    ...configuration,
  });
  if (made.status !== 200) throw new Error(JSON.stringify(made.body));
  return number;
}

/** A call as the log has it. */
export interface LoggedCall {
  id: string;
  status: string;
  ended_reason: string | null;
  duration_seconds: number | null;
  transfer: { reason: string; to: string | null; status: string; seconds: number | null } | null;
  events: { kind: string; data: Record<string, unknown> }[];
  transcript: { role: string; text: string; interrupted: boolean; tool?: { name: string; status: string } }[];
}

export async function readCall(server: TestServer, callSid: string): Promise<LoggedCall | undefined> {
  return server.app.db.asSystem("superadmin", async (tx) => {
    const { rows } = await sql<LoggedCall>`
      select c.id, c.status, c.ended_reason, c.duration_seconds, c.transfer,
        (select coalesce(json_agg(json_build_object('kind', e.kind, 'data', e.data) order by e.sequence), '[]'::json)
          from call_events e where e.call_id = c.id) as events,
        (select t.transcript from call_transcripts t where t.call_id = c.id) as transcript
      from calls c where c.provider_call_id = ${callSid}`.execute(tx);
    return rows[0];
  });
}

/** Once it has ended: its end is written beside the talk. */
export async function endedCall(server: TestServer, callSid: string, withinMs = 5_000): Promise<LoggedCall> {
  const end = performance.now() + withinMs;
  for (;;) {
    const call = await readCall(server, callSid);
    if (call?.ended_reason != null) return call;
    if (performance.now() > end) throw new Error(`the call has not ended: ${JSON.stringify(call)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What the assistant and the person said, as the conversation keeps it. */
export async function conversationOf(
  server: TestServer,
  callId: string,
): Promise<{ role: string; text: string; status: string }[]> {
  return server.app.db.asSystem("superadmin", async (tx) => {
    const { rows } = await sql<{ role: string; text: string; status: string }>`
      select m.role, m.text, m.status from messages m join conversations c on c.id = m.conversation_id
      where c.channel = 'voice' and c.session_id = ${callId} order by m.id`.execute(tx);
    return rows;
  });
}

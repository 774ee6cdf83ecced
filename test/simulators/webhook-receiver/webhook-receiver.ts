import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { type Simulator, type SimulatorAnswer, type SimulatorRequest, startSimulator } from "../simulator.ts";

const eventSchema = z.strictObject({
  id: z.uuid(),
  type: z.string().regex(/^[a-z_]+\.[a-z_]+$/),
  timestamp: z.iso.datetime({ precision: 3 }),
  account_id: z.uuid().nullable(),
  organization_id: z.int().nullable(),
  workspace_id: z.int().nullable(),
  subject: z.strictObject({ kind: z.string().min(1), id: z.string().min(1) }),
  sequence: z.int().positive(),
  data: z.record(z.string(), z.unknown()),
});

export type ReceivedEvent = z.output<typeof eventSchema>;

/**
 * A partner's receiver: every path is an endpoint of its own, with the secret it was told. It believes nothing that
 * `standardwebhooks` cannot verify, and takes no other shape than the documented one.
 */
export interface WebhookReceiver extends Simulator {
  /** The URL of an endpoint, as a partner registers it. */
  urlOf(name: string): string;
  /** What the endpoint verifies with; without it everything is refused. */
  learn(name: string, secret: string): void;
  /** What it believed and accepted, in the order of arrival, repetitions included. */
  accepted(name: string): ReceivedEvent[];
  /** What a verified event is answered; 200 when it was not said. */
  answerWith(choose: (event: ReceivedEvent, name: string) => number | Promise<number>): void;
}

export async function startWebhookReceiver(port?: number): Promise<WebhookReceiver> {
  const secrets = new Map<string, string>();
  const accepted = new Map<string, ReceivedEvent[]>();
  let choose: Parameters<WebhookReceiver["answerWith"]>[0] = () => 200;

  async function receive({ headers, body, params }: SimulatorRequest): Promise<SimulatorAnswer> {
    const { name = "" } = params;
    if (headers["content-type"] !== "application/json") return refusal(415, "not JSON");
    const event = verified(secrets.get(name), body, headers);
    if (event === undefined) return refusal(401, "not signed with this endpoint's secret");
    const parsed = eventSchema.safeParse(event);
    if (!parsed.success) return refusal(422, parsed.error.message);
    if (parsed.data.id !== headers["webhook-id"]) return refusal(422, "webhook-id is not the event's id");
    const status = await choose(parsed.data, name);
    if (status >= 300) return refusal(status, "chosen");
    accepted.set(name, [...(accepted.get(name) ?? []), parsed.data]);
    return { status, body: {} };
  }

  const simulator = await startSimulator({
    routes: [{ method: "POST", path: /^\/hooks\/(?<name>[\w-]+)$/, handle: receive }],
    errorBody: (_status, message) => ({ message }),
    ...(port === undefined ? {} : { port }),
  });
  return {
    ...simulator,
    urlOf: (name) => `http://localhost:${new URL(simulator.url).port}/hooks/${name}`,
    learn: (name, secret) => void secrets.set(name, secret),
    accepted: (name) => accepted.get(name) ?? [],
    answerWith: (how) => {
      choose = how;
    },
  };
}

function verified(secret: string | undefined, body: Buffer, headers: SimulatorRequest["headers"]): unknown {
  if (secret === undefined) return undefined;
  try {
    return new Webhook(secret).verify(
      body,
      Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, String(v)])),
    );
  } catch {
    return undefined;
  }
}

function refusal(status: number, message: string): SimulatorAnswer {
  return { status, body: { message } };
}

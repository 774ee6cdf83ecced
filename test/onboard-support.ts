import type { OnboardBody } from "../src/whatsapp/onboard.schemas.ts";
import { type MetaSimulator, startMeta } from "./simulators/meta/meta.ts";
import type { SimBusiness } from "./simulators/meta/meta-world.ts";
import {
  hex,
  newWorld,
  type Reply,
  send,
  startTestServer,
  type TestParts,
  type TestServer,
  type World,
} from "./support.ts";

/** A server that knows Meta's stand-in. */
export interface WhatsAppServer {
  meta: MetaSimulator;
  server: TestServer;
  /** Where its page comes from. */
  origin: string;
  close(): Promise<void>;
}

export async function startWhatsAppServer(
  environment: Record<string, string> = {},
  parts: TestParts = {},
): Promise<WhatsAppServer> {
  const meta = await startMeta();
  const server = await startTestServer({ ...meta.environment(), ...environment }, parts);
  return {
    meta,
    server,
    origin: environment.PUBLIC_URL ?? server.url,
    async close() {
      await server.close();
      await meta.close();
    },
  };
}

export function whatsappPath(world: World, rest = ""): string {
  return `/v1/workspace/${hex(world.workspaceSlug)}/whatsapp${rest}`;
}

/** The token of a new link. */
export async function mintToken(world: World, body?: object): Promise<string> {
  const reply = await world.api.post(whatsappPath(world, "/connect-token"), body);
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  return reply.body.token;
}

/** What the page posts, as a browser on our own origin does. */
export function postOnboard(
  url: string,
  world: World,
  token: string,
  body: OnboardBody | string,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return send(
    url,
    "POST",
    whatsappPath(world, "/onboard"),
    { authorization: `Bearer ${token}`, "content-type": "application/json", origin: url, ...headers },
    typeof body === "string" ? body : JSON.stringify(body),
  );
}

/** What the popup gives to the page when it was gone through. */
export function finished({ meta }: Pick<WhatsAppServer, "meta">, business: SimBusiness): OnboardBody {
  const [number] = business.numbers;
  return {
    event: "FINISH",
    code: meta.issueCode(business),
    waba_id: business.wabaId,
    business_id: business.businessId,
    ...(number === undefined ? {} : { phone_number_id: number.id }),
  };
}

/** A workspace with a connected number. */
export async function newConnectedWorld(
  whatsapp: WhatsAppServer,
  { business = whatsapp.meta.addBusiness(), world }: { business?: SimBusiness; world?: World } = {},
) {
  const owner = world ?? (await newWorld(whatsapp.server));
  const { status, body } = await postOnboard(
    whatsapp.server.url,
    owner,
    await mintToken(owner),
    finished(whatsapp, business),
    { origin: whatsapp.origin },
  );
  if (status !== 200 || body.status !== "active") throw new Error(JSON.stringify(body));
  const connectionId: string = body.connection_id;
  return { world: owner, business, connectionId };
}

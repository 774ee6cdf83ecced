import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { type Messenger, MessengerError } from "../../src/ports/messenger.ts";
import { metaMessenger } from "../../src/providers/meta/meta-messenger.ts";
import { type MetaSimulator, startMeta } from "../simulators/meta/meta.ts";
import type { MetaRequest } from "../simulators/meta/meta-server.ts";
import type { SimBusiness, SimNumber } from "../simulators/meta/meta-world.ts";

export const HOUR_MS = 3_600_000;

/** Nobody gives up. */
export const { signal } = new AbortController();

/** The adapter, and the simulator that it talks to over real HTTP. */
export interface Bench {
  meta: MetaSimulator;
  messenger: Messenger;
  messengerOf(other: Partial<Parameters<typeof metaMessenger>[0]>): Messenger;
  customer(number?: Partial<SimNumber>): Customer;
  /** A registered number that a person has just written to. */
  connected(): Customer & { person: { phone: string; bsuid: string }; wamid: string };
  lastRequest(): MetaRequest;
}

export interface Customer {
  business: SimBusiness;
  number: SimNumber;
  token: string;
}

export async function startBench(options: Parameters<typeof startMeta>[0] = {}): Promise<Bench> {
  const meta = await startMeta(options);

  function messengerOf(other: Partial<Parameters<typeof metaMessenger>[0]>): Messenger {
    const { appId, appSecret, url: baseUrl } = meta;
    return metaMessenger({ appId, appSecret, baseUrl, version: "v25.0", fetch, ...other });
  }

  function customer(wanted: Partial<SimNumber> = {}): Customer {
    const business = meta.addBusiness({ numbers: [wanted] });
    const [number] = business.numbers;
    if (number === undefined) throw new Error("the business has no number");
    return { business, number, token: meta.issueToken(business) };
  }

  return {
    meta,
    messenger: messengerOf({}),
    messengerOf,
    customer,
    connected() {
      const made = customer({ platformType: "CLOUD_API", status: "CONNECTED" });
      const person = { phone: "16505551234", bsuid: "US.13491208655302741918" };
      const wamid = `wamid.${randomBytes(8).toString("hex")}`;
      meta.webhook.hear(
        meta.webhook.message(made.number, { from: person.phone, bsuid: person.bsuid, wamid }),
      );
      return { ...made, person, wamid };
    },
    lastRequest() {
      const last = meta.requests.at(-1);
      if (last === undefined) throw new Error("nothing was asked");
      return last;
    },
  };
}

/** An address that nobody answers at. */
export async function closedUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

export async function failure(call: Promise<unknown>): Promise<MessengerError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof MessengerError)) throw new Error(`no MessengerError, but ${String(error)}`);
  return error;
}

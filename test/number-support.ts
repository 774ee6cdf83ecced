import { createAdminKey } from "../src/partners/keys.service.ts";
import { type Client, client, hex, newWorld, type Reply, type TestServer, type World } from "./support.ts";

/** An organization that asks for numbers, and a superadmin who answers. */
export interface NumberWorld extends World {
  admin: Client;
  /** Asks for a local number in Germany, or for something else. Returns the request. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as a client without types does
  ask(fields?: object): Promise<any>;
  /** Answers the request as a superadmin. */
  decide(requestId: string, step: string, body?: object): Promise<Reply>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  get(requestId: string): Promise<any>;
}

export async function newNumberWorld(server: TestServer, world?: World): Promise<NumberWorld> {
  const own = world ?? (await newWorld(server));
  const admin = client(server.url, (await createAdminKey(server.app)).key);
  const requests = `/v1/org/${hex(own.orgSlug)}/number-requests`;
  return {
    ...own,
    admin,
    async ask(fields = {}) {
      const body = { country: "DE", number_type: "local", ...fields };
      return (await own.api.post(requests, body)).body.number_request;
    },
    decide: (requestId, step, body) => admin.post(`/v1/admin/number-requests/${requestId}/${step}`, body),
    get: async (requestId) => (await own.api.get(`${requests}/${requestId}`)).body.number_request,
  };
}

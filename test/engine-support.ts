import { type NumberWorld, newNumberWorld } from "./number-support.ts";
import type { CarrierSimulator } from "./simulators/carrier/carrier-simulator.ts";
import { hex, newWorld, type Reply, type TestServer, type World } from "./support.ts";

export const PUBLIC_URL = "https://voice.example.com";

/** Where a number's calls go that an assistant answers, as the carrier has it. */
export const HERE = {
  voiceUrl: `${PUBLIC_URL}/voice/twilio/incoming`,
  voiceFallbackUrl: `${PUBLIC_URL}/voice/twilio/incoming`,
  statusCallback: `${PUBLIC_URL}/voice/twilio/status`,
};
export const NOWHERE = { voiceUrl: "", voiceFallbackUrl: "", statusCallback: "" };

/** An organization with workspaces that have an assistant each, and with numbers of the carrier. */
export interface EngineWorld {
  world: NumberWorld;
  /** The number's id here, and what it looks like at the carrier, now and later. */
  newNumber(): Promise<{ id: number; sold: ReturnType<CarrierSimulator["own"]> }>;
  /** @returns the path of its voice integration */
  newAssistant(fields?: object): Promise<string>;
  patch(path: string, fields: object): Promise<Reply>;
  /** Once its engine has what is stored, or as soon as it has failed to take it. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as a client without types does
  settled(path: string): Promise<any>;
  /** Until no job tells an engine of anything in this organization. */
  idle(): Promise<void>;
}

let numbers = 0;

export async function newEngineWorld(server: TestServer, carrier: CarrierSimulator): Promise<EngineWorld> {
  const world = await newNumberWorld(server, await newWorld(server));
  const { api } = world;
  let workspaces = 0;
  return {
    world,
    async newNumber() {
      numbers += 1;
      const number = `+49301${String(process.pid % 10_000).padStart(4, "0")}${String(numbers).padStart(3, "0")}`;
      const sold = carrier.own(number);
      const { id: requestId } = await world.ask();
      await world.decide(requestId, "approve", {});
      const attached = await world.decide(requestId, "attach", { number });
      if (attached.status !== 200) throw new Error(JSON.stringify(attached.body));
      const [{ id }] = (await world.get(requestId)).numbers;
      return { id, sold };
    },
    async newAssistant(fields = {}) {
      workspaces += 1;
      const name = `Desk ${workspaces}`;
      const made = await api.post(`/v1/org/${hex(world.orgSlug)}/workspaces`, { name });
      const path = `/v1/workspace/${made.body.workspace.slug}/voice-integration`;
      const reply = await api.post(path, fields);
      if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
      return path;
    },
    patch: (path, fields) => api.patch(path, fields),
    async settled(path) {
      for (;;) {
        const shown = (await api.get(path)).body.voice_integration;
        if (shown.status !== "pending") return shown;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    },
    async idle() {
      while ((await openJobs(server, world)) > 0) await new Promise((resolve) => setTimeout(resolve, 25));
    },
  };
}

async function openJobs({ app }: TestServer, { organizationId }: World): Promise<number> {
  return app.db.asSystem("superadmin", async (tx) => {
    const open = await tx
      .selectFrom("jobs")
      .select("id")
      .where("kind", "=", "voice_engine")
      .where("organization_id", "=", organizationId)
      .where("status", "in", ["queued", "running"])
      .execute();
    return open.length;
  });
}

/** What is written down of what engines have of the organization's, by kind and subject. */
export async function entriesOf({ app }: TestServer, { organizationId }: World) {
  return app.db.asSystem("superadmin", (tx) =>
    tx
      .selectFrom("voice_engine_entries")
      .select(["kind", "subject", "engine", "engine_id", "applied", "error", "key_id", "claimed_by"])
      .where("organization_id", "=", organizationId)
      .execute(),
  );
}

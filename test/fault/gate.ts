import { createServer, type IncomingMessage } from "node:http";

/** Stands before a simulator over HTTP, and holds a request or its answer for as long as a test needs. */
export interface Gate {
  url: string;
  /** The next request that matches, by method and path; `after`: it is carried out, and its answer held. */
  hold(match: RegExp, when: "before" | "after"): Held;
  close(): Promise<void>;
}

export interface Held {
  /** Resolves when the request is there: before it is passed on, or once it was answered. */
  arrived: Promise<void>;
  /** Lets it go on; without this it ends with its connection. */
  release(): void;
}

interface Plan {
  match: RegExp;
  when: "before" | "after";
  arrive(): void;
  released: Promise<void>;
}

export async function startGate(target: string): Promise<Gate> {
  const plans: Plan[] = [];

  async function pass(incoming: IncomingMessage) {
    const name = `${incoming.method} ${new URL(incoming.url ?? "/", target).pathname}`;
    const plan = plans.find(({ match }) => match.test(name));
    if (plan !== undefined) plans.splice(plans.indexOf(plan), 1);
    const body = await bodyOf(incoming);
    if (plan?.when === "before") await stand(plan);
    const answer = await fetch(`${target}${incoming.url}`, {
      method: incoming.method ?? "GET",
      headers: headersOf(incoming),
      ...(body.length === 0 ? {} : { body }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (plan?.when === "after") await stand(plan);
    return { status: answer.status, type: answer.headers.get("content-type") ?? "", bytes };
  }

  const server = createServer((incoming, response) => {
    pass(incoming).then(
      ({ status, type, bytes }) => response.writeHead(status, { "content-type": type }).end(bytes),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    hold(match, when) {
      const arrival = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      plans.push({ match, when, arrive: arrival.resolve, released: release.promise });
      return { arrived: arrival.promise, release: release.resolve };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function stand({ arrive, released }: Plan): Promise<void> {
  arrive();
  await released;
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Without those that belong to the one connection. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const own = ["host", "connection", "content-length", "transfer-encoding", "accept-encoding"];
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      own.includes(name) || typeof value !== "string" ? [] : [[name, value]],
    ),
  );
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { z } from "zod";

/** Somebody's web server, for what Meta calls. */
export interface Listening {
  url: string;
  close(): Promise<void>;
}

const statusSchema = z.looseObject({ id: z.string(), status: z.string() });
const hookSchema = z.object({
  entry: z.array(
    z.object({ changes: z.array(z.object({ value: z.object({ statuses: z.array(statusSchema) }) })) }),
  ),
});

type Answering = (request: IncomingMessage, response: ServerResponse) => unknown;

async function listen(answering: Answering): Promise<Listening> {
  const server = createServer(answering);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Meta asks it for the challenge. */
export async function startCallback(answer: (query: URLSearchParams) => string, delayMs = 0) {
  const asked: Record<string, string>[] = [];
  const server = await listen(async (request, response) => {
    const { searchParams } = new URL(request.url ?? "/", "http://callback");
    asked.push(Object.fromEntries(searchParams));
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    response.end(answer(searchParams));
  });
  return { ...server, url: `${server.url}/hook?x=1`, asked };
}

/** Keeps the statuses that it is told. */
export async function startHook() {
  const received: z.output<typeof statusSchema>[] = [];
  let listener: () => void = () => undefined;
  const server = await listen(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { entry } = hookSchema.parse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
    received.push(...entry.flatMap(({ changes }) => changes.flatMap(({ value }) => value.statuses)));
    listener();
    response.end();
  });
  return {
    ...server,
    statuses: () => received,
    onStatus(heard: () => void) {
      listener = heard;
    },
  };
}

/** Keeps what it is sent, and how many requests were there at once. */
export async function startReceiver(delayMs = 0) {
  const received: { body: Buffer; signature: string | undefined }[] = [];
  let atOnce = 0;
  let most = 0;
  const server = await listen(async (request, response) => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const signature = request.headers["x-hub-signature-256"];
    received.push({ body: Buffer.concat(chunks), signature: Array.isArray(signature) ? "" : signature });
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    atOnce -= 1;
    response.end();
  });
  return { ...server, received, mostAtOnce: () => most };
}

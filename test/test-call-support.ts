import { once } from "node:events";
import { WebSocket } from "ws";
import type { BrowserFrame, ShownEvent } from "../src/voice/relay/browser-frames.ts";
import { until } from "./chat-support.ts";
import type { TestServer, World } from "./support.ts";

/** A browser that calls an assistant. */
export interface TestCaller {
  callId: string;
  frames: BrowserFrame[];
  heard(): string;
  events<Kind extends ShownEvent["kind"]>(kind: Kind): Extract<ShownEvent, { kind: Kind }>[];
  send(message: object): void;
  say(text: string): void;
  listen(what: string): Promise<void>;
  /** The code with which the line was closed. */
  closed: Promise<number>;
  leave(): void;
}

export async function mintTestCall(world: World & { path: string }): Promise<string> {
  const { status, body } = await world.api.post(`${world.path}/voice-integration/test-call`);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body.token;
}

/** The line that a token opens, as far as it gets. */
export async function openTestLine({ url }: TestServer, token: string): Promise<Omit<TestCaller, "callId">> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/voice/test-call`);
  const frames: BrowserFrame[] = [];
  socket.on("message", (data) => {
    const frame = asFrame(JSON.parse(String(data)));
    frames.push(frame);
    if (frame.type === "end") socket.close(1000);
  });
  const closed = new Promise<number>((resolve) => {
    socket.on("close", resolve);
  });
  await once(socket, "open");
  const send = (message: object) => socket.send(JSON.stringify(message));
  const heard = () => frames.map((frame) => (frame.type === "text" ? frame.token : "")).join("");
  send({ type: "setup", callSid: "browser", customParameters: { token } });
  return {
    frames,
    heard,
    events: (kind) =>
      frames.flatMap((frame) => (frame.type === "event" && isOf(frame.event, kind) ? [frame.event] : [])),
    send,
    say: (text) => send({ type: "prompt", voicePrompt: text, last: true }),
    listen: (what) => until(() => heard().includes(what)),
    closed,
    leave: () => socket.close(1000),
  };
}

/** Mints a token and calls with it. */
export async function testCall(server: TestServer, world: World & { path: string }): Promise<TestCaller> {
  const line = await openTestLine(server, await mintTestCall(world));
  await until(() => line.frames.length > 0);
  const [first] = line.frames;
  if (first?.type !== "answered") throw new Error(`not answered: ${JSON.stringify(first)}`);
  return { ...line, callId: first.call_id };
}

function isOf<Kind extends ShownEvent["kind"]>(
  event: ShownEvent,
  kind: Kind,
): event is Extract<ShownEvent, { kind: Kind }> {
  return event.kind === kind;
}

/** The server's own type says what it sends. */
function asFrame(value: unknown): BrowserFrame {
  return value as BrowserFrame;
}

import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { App } from "../../context.ts";
import { renewCalls } from "../sweep-calls.ts";
import type { CallPlan } from "./call-plan.ts";
import { CallSession } from "./call-session.ts";
import { type Door, findDoor } from "./doors.ts";
import { type RelayMessage, readRelayMessage } from "./messages.ts";

const FRAME_BYTES_MAX = 64 * 1024;
/** A carrier sends its first message at once. */
const SETUP_MS = 10_000;
/** Half of what a call may go without being heard of, and less. */
const PULSE_MS = 20_000;
/** After our end, before the line is closed from here: carriers close it at once. */
const CLOSE_MS = 5_000;
/** What a stopping process lets its calls say; a supervisor does not wait for much longer. */
const FAREWELL_MS = 7_000;
/** Close codes of an orderly end; 1005 is one without a code. */
const CLEAN_CODES = [1000, 1001, 1005];

/**
 * The lines that carriers and browsers open to us, on the server of everything else: see `doors.ts`.
 *
 * @returns waits until the ends of all calls are written; for the time when no line is open any more
 */
export function mountRelay(server: Server, app: App, stopping: AbortSignal): () => Promise<void> {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_BYTES_MAX,
    perMessageDeflate: false,
  });
  const lines = new Set<Line>();
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    const door = findDoor(request);
    const refusal = refusalOf(app, door, request, stopping);
    if (door === undefined || refusal !== null) refuse(socket, refusal ?? "404 Not Found");
    else
      sockets.handleUpgrade(request, socket, head, (opened) => lines.add(new Line(app, door, opened, lines)));
  });
  const pulse = setInterval(() => {
    for (const line of lines) line.pulse();
    const callIds = [...lines].flatMap((line) => line.callId ?? []);
    renewCalls(app, callIds).catch((error: unknown) =>
      app.log.warn({ error }, "calls could not be kept alive; it is tried again"),
    );
  }, PULSE_MS).unref();
  stopping.addEventListener(
    "abort",
    () => {
      clearInterval(pulse);
      for (const line of lines) line.stop();
    },
    { once: true },
  );
  return async () => {
    await Promise.all([...lines].map((line) => line.written));
  };
}

/** `null`: it may come in. */
function refusalOf(
  app: App,
  door: Door | undefined,
  request: IncomingMessage,
  stopping: AbortSignal,
): string | null {
  if (door === undefined) return "404 Not Found";
  return stopping.aborted ? "503 Service Unavailable" : door.refusal(app, request);
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

/** A connection of a carrier or a browser: nothing at first, a call from its first message on. */
class Line {
  readonly #app: App;
  readonly #door: Door;
  readonly #socket: WebSocket;
  readonly #late: NodeJS.Timeout;
  /** What comes before the call is answered. */
  readonly #waiting: RelayMessage[] = [];
  /** Resolves once it is closed and its call's end is written. */
  readonly written: Promise<void>;
  #session: CallSession | null = null;
  #isSetUp = false;
  #isStopping = false;
  #isAlive = true;
  /** How it was closed. */
  #closed: { isClean: boolean } | null = null;

  constructor(app: App, door: Door, socket: WebSocket, lines: Set<Line>) {
    this.#app = app;
    this.#door = door;
    this.#socket = socket;
    this.#late = setTimeout(() => socket.close(1008, "no setup"), SETUP_MS);
    const closed = new Promise<boolean>((resolve) => {
      socket.on("close", (code) => resolve(CLEAN_CODES.includes(code)));
    });
    // Until its end is written, it is kept alive.
    this.written = closed.then((isClean) => this.#end(isClean)).finally(() => lines.delete(this));
    socket.on("message", (data) => this.#receive(String(data)));
    socket.on("pong", () => {
      this.#isAlive = true;
    });
    // Its end follows as `close`.
    socket.on("error", (error) => app.log.info({ error, door: door.name }, "a line broke"));
  }

  get callId(): string | undefined {
    return this.#session?.callId;
  }

  /** Ends a line whose other end is silent. */
  pulse(): void {
    if (!this.#isAlive) this.#socket.terminate();
    this.#isAlive = false;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  stop(): void {
    this.#isStopping = true;
    if (this.#session !== null) this.#session.stop();
    else if (!this.#isSetUp) this.#socket.close(1001);
    setTimeout(() => this.#socket.terminate(), FAREWELL_MS).unref();
  }

  #receive(text: string): void {
    const message = readRelayMessage(text);
    if (message === undefined) return;
    if (message.type === "setup") this.#setUp(message);
    else if (this.#session !== null) this.#session.hear(message);
    else if (this.#isSetUp) this.#waiting.push(message);
    else this.#socket.close(1008, "setup comes first");
  }

  #setUp(setup: Extract<RelayMessage, { type: "setup" }>): void {
    if (this.#isSetUp) return;
    this.#isSetUp = true;
    clearTimeout(this.#late);
    this.#door.answer(this.#app, setup).then(
      (plan) => {
        if (plan === null) this.#socket.close(1008, "no such call");
        else this.#begin(plan);
      },
      (error: unknown) => {
        this.#app.log.error({ error, door: this.#door.name }, "a call could not be answered");
        this.#socket.close(1011);
      },
    );
  }

  #begin(plan: CallPlan): void {
    const line = this.#door.line(
      plan,
      (frame) => this.#send(frame),
      () => setTimeout(() => this.#socket.close(1000), CLOSE_MS).unref(),
    );
    const session = new CallSession(this.#app, plan, line);
    this.#session = session;
    for (const message of this.#waiting.splice(0)) session.hear(message);
    if (this.#isStopping) session.stop();
    if (this.#closed !== null) void session.hangUp(this.#closed.isClean);
  }

  #send(frame: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  async #end(isClean: boolean): Promise<void> {
    clearTimeout(this.#late);
    this.#closed = { isClean };
    await this.#session?.hangUp(isClean);
  }
}

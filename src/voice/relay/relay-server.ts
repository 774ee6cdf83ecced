import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { App } from "../../context.ts";
import { renewCalls } from "../sweep-calls.ts";
import { answerLine, type CallPlan } from "./call-plan.ts";
import { CallSession } from "./call-session.ts";
import { isHandshakeSigned } from "./carrier-request.ts";
import { type RelayCommand, type RelayMessage, readRelayMessage } from "./messages.ts";
import type { CarrierName } from "./relay-attributes.ts";

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
 * The lines that carriers open to us: `/voice/relay/twilio` and `/voice/relay/telnyx`, on the server of everything else.
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
    const refusal = refusalOf(app, request, stopping);
    const carrier = carrierOf(request);
    if (refusal !== null || carrier === null) refuse(socket, refusal ?? "404 Not Found");
    else
      sockets.handleUpgrade(request, socket, head, (opened) =>
        lines.add(new Line(app, carrier, opened, lines)),
      );
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

function carrierOf({ url = "" }: IncomingMessage): CarrierName | null {
  const name = /^\/voice\/relay\/(twilio|telnyx)(?:\?|$)/.exec(url)?.[1];
  return name === "twilio" || name === "telnyx" ? name : null;
}

/** `null`: it may come in. */
function refusalOf(app: App, request: IncomingMessage, stopping: AbortSignal): string | null {
  const carrier = carrierOf(request);
  if (carrier === null || app.config[carrier] === undefined) return "404 Not Found";
  if (stopping.aborted) return "503 Service Unavailable";
  if (isHandshakeSigned(app, carrier, request.url ?? "", request.headers)) return null;
  app.log.warn({ carrier }, "a line that the carrier has not signed was refused");
  return "403 Forbidden";
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

/** A connection of a carrier: nothing at first, a call from its first message on. */
class Line {
  readonly #app: App;
  readonly #carrier: CarrierName;
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

  constructor(app: App, carrier: CarrierName, socket: WebSocket, lines: Set<Line>) {
    this.#app = app;
    this.#carrier = carrier;
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
    socket.on("error", (error) => app.log.info({ error, carrier }, "a carrier's line broke"));
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

  #setUp({ callSid, customParameters }: Extract<RelayMessage, { type: "setup" }>): void {
    if (this.#isSetUp) return;
    this.#isSetUp = true;
    clearTimeout(this.#late);
    const token = customParameters?.token ?? "";
    answerLine(this.#app, this.#carrier, { token, callSid }).then(
      (plan) => {
        if (plan === null) this.#socket.close(1008, "no such call");
        else this.#begin(plan);
      },
      (error: unknown) => {
        this.#app.log.error({ error, carrier: this.#carrier }, "a call could not be answered");
        this.#socket.close(1011);
      },
    );
  }

  #begin(plan: CallPlan): void {
    const session = new CallSession(this.#app, plan, {
      send: (command) => this.#send(command),
      close: () => setTimeout(() => this.#socket.close(1000), CLOSE_MS).unref(),
    });
    this.#session = session;
    for (const message of this.#waiting.splice(0)) session.hear(message);
    if (this.#isStopping) session.stop();
    if (this.#closed !== null) void session.hangUp(this.#closed.isClean);
  }

  #send(command: RelayCommand): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(command));
  }

  async #end(isClean: boolean): Promise<void> {
    clearTimeout(this.#late);
    this.#closed = { isClean };
    await this.#session?.hangUp(isClean);
  }
}

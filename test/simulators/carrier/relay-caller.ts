import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";
import { z } from "zod";
import { type Dialed, dial, type HumanBehaviour } from "./dialed-human.ts";
import { type CarrierKeys, signForm, signHandshake } from "./relay-signatures.ts";
import { type Instruction, readTwiml } from "./twiml-interpreter.ts";

/** Where the server says it is, and where it listens. */
export interface CarrierSide {
  keys: CarrierKeys;
  publicUrl: string;
  url: string;
}

/** What a server may send over a line; anything else ends the call, as error 64107 would. */
const commandSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), token: z.string(), last: z.boolean() }),
  z.strictObject({
    type: z.literal("language"),
    ttsLanguage: z.string().regex(/^[a-z]{2}-[A-Z]{2}$/),
    transcriptionLanguage: z.string().regex(/^[a-z]{2}-[A-Z]{2}$/),
  }),
  z.strictObject({ type: z.literal("end"), handoffData: z.string().optional() }),
]);
export type Command = z.output<typeof commandSchema>;

/** A person on the phone, with the carrier between. */
export interface Caller {
  callSid: string;
  /** What the carrier was told to do at first. */
  instructions: Instruction[];
  /** All that was spoken, the greeting first; a farewell of the carrier's own last. */
  heard(): string;
  /** What was spoken since the caller last said something. */
  heardSince(): string;
  commands: Command[];
  /** Whom the carrier was told to dial. */
  dialed: Dialed[];
  /** When each command came, by `performance.now()`. */
  arrivals: number[];
  say(text: string, more?: { lang?: string; last?: boolean }): void;
  /** Talks over what is being spoken, of which only `heard` came through. */
  interrupt(heard: string): void;
  press(keys: string): void;
  send(message: object): void;
  hangUp(): Promise<void>;
  /** The line breaks, as when a cable is cut. */
  cut(): void;
  /** Waits until this was spoken. */
  listen(what: string | RegExp, withinMs?: number): Promise<void>;
  /** Waits until the call is over, and tells with what the carrier was sent away. */
  over(withinMs?: number): Promise<{ handoff: unknown; last: Instruction[] }>;
}

export interface CallPlaced {
  from?: string;
  to: string;
  callSid?: string;
  /** The line is never opened, and the carrier says why. */
  lineFails?: boolean;
  /** Instead of the token that the server gave. */
  token?: string;
  /** Whoever is dialled; one who answers, where nothing is said. */
  human?: HumanBehaviour;
}

/** Calls a number: asks the server what to do, does it, and lets the caller speak. */
export async function placeCall(side: CarrierSide, placed: CallPlaced): Promise<Caller> {
  const callSid = placed.callSid ?? `CA${randomBytes(16).toString("hex")}`;
  const form = {
    CallSid: callSid,
    From: placed.from ?? "+391234567890",
    To: placed.to,
    CallStatus: "ringing",
  };
  const instructions = await ask(side, `/voice/${side.keys.carrier}/incoming`, form);
  const call = new SimulatedCall(side, form, instructions);
  await call.follow(instructions, placed);
  return call;
}

/** Posts a form as the carrier does. @returns what it is to do */
export async function ask(
  { keys, publicUrl, url }: CarrierSide,
  path: string,
  form: Record<string, string>,
): Promise<Instruction[]> {
  const body = new URLSearchParams(form).toString();
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      ...signForm(keys, `${publicUrl}${path}`, body),
    },
    body,
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
  return readTwiml(text);
}

class SimulatedCall implements Caller {
  readonly callSid: string;
  readonly instructions: Instruction[];
  readonly commands: Command[] = [];
  readonly dialed: Dialed[] = [];
  readonly arrivals: number[] = [];
  readonly #side: CarrierSide;
  readonly #form: Record<string, string>;
  #socket: WebSocket | null = null;
  #heard = "";
  #since = 0;
  #handoff: unknown = null;
  #last: Instruction[] = [];
  #isOver = false;
  #hasHungUp = false;
  #failure: Error | null = null;

  constructor(side: CarrierSide, form: Record<string, string>, instructions: Instruction[]) {
    this.#side = side;
    this.#form = form;
    this.callSid = form.CallSid ?? "";
    this.instructions = instructions;
  }

  async follow(instructions: Instruction[], placed: CallPlaced): Promise<void> {
    this.#last = instructions;
    for (const instruction of instructions) {
      if (instruction.verb === "say") this.#heard += instruction.text;
      else if (instruction.verb === "hang-up") this.#isOver = true;
      else if (instruction.verb === "dial") await this.#dial(instruction, placed);
      else await this.#connect(instruction, placed);
    }
  }

  async #connect(relay: Extract<Instruction, { verb: "relay" }>, placed: CallPlaced): Promise<void> {
    if (placed.lineFails === true) {
      const next = await this.#act(relay.action, {
        SessionStatus: "failed",
        ErrorCode: "64101",
        ErrorMessage: "no voice",
      });
      await this.follow(next, placed);
      return;
    }
    const path = new URL(relay.url).pathname;
    const socket = new WebSocket(`${this.#side.url.replace("http", "ws")}${path}`, {
      headers: signHandshake(this.#side.keys, relay.url),
      perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.on("message", (data) => this.#receive(String(data)));
    socket.on("close", () => void this.#closed(relay.action, placed));
    await once(socket, "open");
    // A server that dies may reset the connection; `close` follows.
    socket.on("error", () => undefined);
    this.#heard += relay.attributes.welcomeGreeting ?? "";
    this.send({
      type: "setup",
      sessionId: `VX${randomBytes(16).toString("hex")}`,
      accountSid: "AC00000000000000000000000000000000",
      callSid: this.callSid,
      parentCallSid: "",
      from: this.#form.From,
      to: this.#form.To,
      forwardedFrom: "",
      callType: "PSTN",
      callerName: "",
      direction: "inbound",
      callStatus: "RINGING",
      customParameters: {
        ...relay.parameters,
        ...(placed.token === undefined ? {} : { token: placed.token }),
      },
    });
  }

  #receive(text: string): void {
    this.arrivals.push(performance.now());
    const parsed = commandSchema.safeParse(JSON.parse(text));
    if (!parsed.success) {
      this.#failure = new Error(`the carrier does not understand ${text}`);
      this.#socket?.close();
      return;
    }
    const command = parsed.data;
    this.commands.push(command);
    if (command.type === "text") this.#heard += command.token;
    if (command.type !== "end") return;
    this.#handoff = command.handoffData === undefined ? null : JSON.parse(command.handoffData);
    this.#socket?.close(1000);
  }

  async #closed(action: string, placed: CallPlaced): Promise<void> {
    const handoff: Record<string, string> =
      this.#handoff === null ? {} : { HandoffData: JSON.stringify(this.#handoff) };
    try {
      const status = this.#hasHungUp ? "completed" : "in-progress";
      await this.follow(
        await this.#act(action, { CallStatus: status, SessionStatus: "ended", ...handoff }),
        placed,
      );
    } catch (error) {
      // A server that is gone is asked in vain: then the carrier hangs up.
      if (!(error instanceof TypeError))
        this.#failure = error instanceof Error ? error : new Error("unknown");
    }
    this.#isOver = true;
  }

  async #dial(instruction: Dialed, placed: CallPlaced): Promise<void> {
    this.dialed.push(instruction);
    const report = dial(instruction, placed.human ?? "answers", this.#form);
    if (report === null) return;
    const status = placed.human === "caller-leaves" ? "completed" : "in-progress";
    const next = await this.#act(instruction.action, { CallStatus: status, ...report });
    // Nobody is there to hear it.
    if (placed.human !== "caller-leaves") await this.follow(next, placed);
  }

  #act(action: string, more: Record<string, string>): Promise<Instruction[]> {
    const { pathname, search } = new URL(action);
    return ask(this.#side, `${pathname}${search}`, { ...this.#form, SessionId: "VX1", ...more });
  }

  heard(): string {
    return this.#heard;
  }

  heardSince(): string {
    return this.#heard.slice(this.#since);
  }

  say(text: string, more: { lang?: string; last?: boolean } = {}): void {
    this.#since = this.#heard.length;
    this.send({ type: "prompt", voicePrompt: text, lang: more.lang ?? "en-US", last: more.last ?? true });
  }

  interrupt(heard: string): void {
    // Twilio writes the milliseconds now as a number, now as a text.
    this.send({ type: "interrupt", utteranceUntilInterrupt: heard, durationUntilInterruptMs: "460" });
  }

  press(keys: string): void {
    this.#since = this.#heard.length;
    for (const digit of keys) this.send({ type: "dtmf", digit });
  }

  send(message: object): void {
    this.#socket?.send(JSON.stringify(message));
  }

  async hangUp(): Promise<void> {
    this.#hasHungUp = true;
    this.#socket?.close(1000);
    await this.over();
  }

  cut(): void {
    this.#socket?.terminate();
  }

  listen(what: string | RegExp, withinMs = 5_000): Promise<void> {
    const isThere = () =>
      typeof what === "string" ? this.heardSince().includes(what) : what.test(this.heardSince());
    return this.#until(isThere, withinMs, () => `"${what}" was not said, but "${this.heardSince()}"`);
  }

  async over(withinMs = 5_000): Promise<{ handoff: unknown; last: Instruction[] }> {
    await this.#until(
      () => this.#isOver,
      withinMs,
      () => `the call is not over; heard "${this.#heard}"`,
    );
    return { handoff: this.#handoff, last: this.#last };
  }

  async #until(isSo: () => boolean, withinMs: number, complaint: () => string): Promise<void> {
    const end = performance.now() + withinMs;
    while (!isSo()) {
      if (this.#failure !== null) throw this.#failure;
      if (performance.now() > end) throw new Error(complaint());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

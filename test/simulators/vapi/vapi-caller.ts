import { randomUUID } from "node:crypto";
import type { Vapi } from "@vapi-ai/server-sdk";
import { readSpoken, type ToolWish } from "./read-spoken.ts";
import { TransferAnswer } from "./vapi-schemas.ts";
import type { VapiAssistant, VapiPhoneNumber, VapiState } from "./vapi-state.ts";

/** Where a server of ours is, and how Vapi reaches it. */
export interface VapiSide {
  state: VapiState;
  /** What assistants were told. */
  publicUrl: string;
  /** Where it is. */
  url: string;
}

/** What a message's delivery goes through. */
export interface Delivery {
  /** How often it arrives; default 1. */
  times?: number;
  /** Instead of the assistant's own headers. */
  headers?: Record<string, string>;
}

interface Said {
  role: "bot" | "user";
  message: string;
  time: number;
  endTime: number;
  secondsFromStart: number;
  duration: number;
}

/** What comes of dialling the human whom a caller is transferred to. */
export type TransferOutcome = "connected" | "busy" | "unknown";

const SPEECH_MS = 400;
/** What listening and speaking take beside the model. */
export const SPEECH_LATENCY_MS = 900;

/**
 * Somebody who calls a number of Vapi's, and Vapi between them and the server: it speaks the first message, asks the
 * custom model for each answer, and tells the assistant's server what happens.
 */
export async function ringVapi(side: VapiSide, { to, from }: { to: string; from: string | null }) {
  const number = side.state.numbers.find((one) => one.number === to);
  const assistant = side.state.assistants.find(({ id }) => id === number?.assistantId);
  if (number === undefined || assistant === undefined) return undefined;
  return new VapiCaller(side, assistant, number, from);
}

export class VapiCaller {
  readonly id = randomUUID();
  readonly #side: VapiSide;
  readonly #assistant: VapiAssistant;
  readonly #number: VapiPhoneNumber;
  readonly #from: string | null;
  readonly #startedAt = Date.now();
  readonly #said: Said[] = [];
  /** What the model is told: also which tools were called, and what came of it. */
  readonly #history: object[] = [];
  readonly #transfers: Vapi.TransferArtifact[] = [];
  /** Of the next transfer. */
  transferOutcome: TransferOutcome = "connected";
  /** Runs before the server is asked whom to transfer to. */
  beforeDestination: () => Promise<void> = async () => undefined;
  /** As the server answered. */
  transferredTo: object | null = null;
  /** Of each turn, milliseconds. */
  readonly #latencies: number[] = [];
  #status: Vapi.CallStatus = "queued";
  #clock = Date.now();
  #endedAt: number | null = null;
  #endedReason: Vapi.CallEndedReason | undefined;

  constructor(side: VapiSide, assistant: VapiAssistant, number: VapiPhoneNumber, from: string | null) {
    this.#side = side;
    this.#assistant = structuredClone(assistant);
    this.#number = number;
    this.#from = from;
    this.#remember();
  }

  /** What both have said so far, by Vapi's ear. */
  get said(): readonly Said[] {
    return this.#said;
  }

  /** The call is answered, and the first message spoken. */
  async answer(delivery: Delivery = {}): Promise<number[]> {
    this.#status = "in-progress";
    const { firstMessage, firstMessageMode } = this.#assistant;
    if (firstMessageMode === "assistant-speaks-first" && firstMessage) this.#hear("bot", firstMessage);
    return this.send("status-update", { status: "in-progress" }, delivery);
  }

  /**
   * Says something and listens to the answer.
   *
   * @param heardChars after so many characters of the answer the caller speaks over it
   */
  async say(text: string, { heardChars }: { heardChars?: number } = {}): Promise<string> {
    this.#hear("user", text);
    const begin = Date.now();
    const answer = await this.#askModel(heardChars);
    this.#latencies.push(Math.max(Date.now() - begin, answer.firstWordsMs) + SPEECH_LATENCY_MS);
    if (answer.text !== "") this.#hear("bot", answer.text);
    if (answer.isCut) await this.send("user-interrupted", { timestamp: this.#clock });
    const phrases = (this.#assistant.endCallPhrases ?? []).map((phrase) => phrase.toLowerCase());
    if (phrases.some((phrase) => answer.text.toLowerCase().includes(phrase)))
      await this.hangUp("assistant-said-end-call-phrase");
    const more = await this.#fulfil(answer.wishes);
    return more === "" ? answer.text : `${answer.text} ${more}`;
  }

  /** Does what an answer has called for. @returns what was said after it */
  async #fulfil([wish]: readonly ToolWish[]): Promise<string> {
    if (wish === undefined) return "";
    const offered = (this.#assistant.model?.tools ?? []).find(({ type }) => type === wish.name);
    if (offered === undefined) throw new Error(`the assistant has no tool ${wish.name}`);
    if (offered.type === "endCall") {
      await this.hangUp("assistant-ended-call");
      return "";
    }
    const destination = offered.destinations?.[0] ?? (await this.#askDestination());
    if ("error" in destination) {
      this.#history.push(
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: wish.id, type: "function", function: { name: wish.name, arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: wish.id, content: destination.error },
      );
      const answer = await this.#askModel(undefined);
      if (answer.text !== "") this.#hear("bot", answer.text);
      return `${answer.text}${await this.#fulfil(answer.wishes)}`;
    }
    this.transferredTo = destination;
    await this.#transfer(destination.number);
    return "";
  }

  async #askDestination() {
    const { server, serverMessages } = this.#assistant;
    const type = "transfer-destination-request";
    if (server?.url === undefined || serverMessages?.includes(type) !== true)
      return { error: "No destination was provided." };
    const message = { timestamp: Date.now(), type, ...this.#common() };
    await this.beforeDestination();
    const { status, body } = await this.#post(this.#here(server.url), message);
    if (status !== 200) return { error: `The server answered ${status}.` };
    const answer = TransferAnswer.parse(JSON.parse(body));
    return "error" in answer ? answer : answer.destination;
  }

  /** The assistant leaves; what becomes of the caller and the human is theirs. */
  async #transfer(number: string): Promise<void> {
    const destination = { type: "number" as const, number };
    this.#status = "forwarding";
    await this.send("status-update", { status: "forwarding", destination });
    if (this.transferOutcome !== "unknown")
      this.#transfers.push({ destination, mode: "blind-transfer", status: this.transferOutcome });
    await this.hangUp(
      this.transferOutcome === "busy" ? "call.forwarding.operator-busy" : "assistant-forwarded-call",
    );
  }

  /** Only what Vapi knows of the end: nothing is sent. */
  end(endedReason: Vapi.CallEndedReason = "customer-ended-call"): void {
    this.#status = "ended";
    this.#endedAt ??= Math.max(Date.now(), this.#clock);
    this.#endedReason ??= endedReason;
    this.#remember();
  }

  /** The end, as Vapi tells of it: the state at once, the report a little later. */
  async hangUp(
    endedReason: Vapi.CallEndedReason = "customer-ended-call",
    delivery: Delivery = {},
  ): Promise<void> {
    this.end(endedReason);
    await this.send("status-update", { status: "ended", endedReason: this.#endedReason }, delivery);
    await this.report(delivery);
  }

  async report(delivery: Delivery = {}): Promise<number[]> {
    const { endedReason, artifact = {}, analysis = {}, costs, cost, startedAt, endedAt } = this.#call();
    if (endedReason === undefined) throw new Error("the call has not ended");
    const report: Omit<Vapi.ServerMessageEndOfCallReport, "type"> = {
      endedReason,
      artifact,
      analysis,
      costs,
      cost,
      startedAt,
      endedAt,
    };
    return this.send("end-of-call-report", report, delivery);
  }

  /** Posts a server message that the assistant wants, and again when it was not taken. @returns the answers' statuses */
  async send(type: string, of: object, { times = 1, headers }: Delivery = {}): Promise<number[]> {
    const { server, serverMessages } = this.#assistant;
    if (server?.url === undefined || serverMessages?.some((wanted) => wanted === type) !== true) return [];
    const message = { timestamp: Date.now(), type, ...this.#common(), ...of };
    const statuses: number[] = [];
    for (let time = 0; time < times; time += 1)
      statuses.push((await this.#post(this.#here(server.url), message, headers)).status);
    return statuses;
  }

  async #post(
    url: string,
    message: object,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: string }> {
    const { server } = this.#assistant;
    const own = Object.fromEntries(Object.entries(server?.headers ?? {}).map(([k, v]) => [k, String(v)]));
    const retries = server?.backoffPlan?.maxRetries ?? 0;
    for (let attempt = 0; ; attempt += 1) {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...(headers ?? own) },
        body: JSON.stringify({ message }),
      });
      const body = await response.text();
      if (response.status < 500 || attempt >= retries) return { status: response.status, body };
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #askModel(heardChars: number | undefined) {
    const { model, credentials } = this.#assistant;
    const key = credentials?.find(({ provider }) => provider === "custom-llm")?.apiKey;
    if (model === undefined || key === undefined) throw new Error("the assistant has no model to ask");
    const { customer, phoneNumber, call } = this.#common();
    return readSpoken(
      `${this.#here(model.url)}/chat/completions`,
      key,
      {
        model: model.model,
        messages: [...(model.messages ?? []), ...this.#history],
        temperature: model.temperature ?? 0.5,
        max_tokens: model.maxTokens ?? 250,
        stream: true,
        ...(model.tools === undefined ? {} : { tools: model.tools.map(toFunction) }),
        ...(model.metadataSendMode === "off" ? {} : { metadata: {}, call, phoneNumber, customer }),
      },
      heardChars,
    );
  }

  #hear(role: Said["role"], message: string): void {
    const time = Math.max(this.#clock + 1, Date.now());
    this.#clock = time + SPEECH_MS;
    this.#history.push({ role: role === "bot" ? "assistant" : "user", content: message });
    this.#said.push({
      role,
      message,
      time,
      endTime: this.#clock,
      secondsFromStart: (time - this.#startedAt) / 1_000,
      duration: SPEECH_MS,
    });
  }

  #common() {
    const { id, provider, number } = this.#number;
    return {
      call: this.#call(),
      phoneNumber: { id, provider, number },
      customer: this.#from === null ? {} : { number: this.#from },
    };
  }

  /** As `GET /call/:id` answers it. */
  #call(): Vapi.Call {
    const isAnswered = this.#said.length > 0 || this.#status !== "queued";
    return {
      id: this.id,
      orgId: this.#side.state.orgId,
      type: "inboundPhoneCall",
      status: this.#status,
      assistantId: this.#assistant.id,
      phoneNumberId: this.#number.id,
      customer: this.#from === null ? {} : { number: this.#from },
      phoneCallProvider: "twilio",
      phoneCallTransport: "pstn",
      phoneCallProviderId: `CA${this.id.replaceAll("-", "")}`,
      createdAt: iso(this.#startedAt),
      updatedAt: iso(Date.now()),
      ...(isAnswered ? { startedAt: iso(this.#startedAt) } : {}),
      ...(this.#endedAt === null ? {} : this.#ending(this.#endedAt)),
    };
  }

  #ending(endedAt: number): Partial<Vapi.Call> {
    const minutes = (endedAt - this.#startedAt) / 60_000;
    const url = `https://storage.vapi.ai/${this.id}-mono.wav`;
    return {
      endedAt: iso(endedAt),
      endedReason: this.#endedReason,
      cost: 0.0325,
      costs: [
        { type: "transport", provider: "twilio", minutes, cost: 0.01 },
        { type: "transcriber", transcriber: {}, minutes, cost: 0.005 },
        { type: "model", model: {}, promptTokens: 0, completionTokens: 0, cost: 0 },
        { type: "voice", voice: {}, characters: 100, cost: 0.0075 },
        { type: "vapi", subType: "normal", minutes, cost: 0.008 },
        {
          type: "analysis",
          analysisType: "summary",
          model: {},
          promptTokens: 90,
          completionTokens: 9,
          cost: 0.002,
        },
      ],
      analysis: { summary: "The caller asked something and was answered." },
      artifact: {
        messages: [
          { role: "system", message: "", time: this.#startedAt, secondsFromStart: 0 },
          ...this.#said,
        ],
        transcript: this.#said.map(({ role, message }) => `${role}: ${message}`).join("\n"),
        ...(this.#transfers.length === 0 ? {} : { transfers: this.#transfers }),
        recordingUrl: url,
        recording: { mono: { combinedUrl: url }, stereoUrl: `https://storage.vapi.ai/${this.id}-stereo.wav` },
        performanceMetrics: {
          turnLatencies: this.#latencies.map((turnLatency) => ({
            turnLatency,
            modelLatency: turnLatency / 2,
          })),
        },
      },
    };
  }

  #remember(): void {
    this.#side.state.calls.set(this.id, this.#call());
  }

  #here(url: string): string {
    return url.replace(this.#side.publicUrl, this.#side.url);
  }
}

/** A tool that acts on the call, as the model is offered it. */
function toFunction({ type }: { type: "transferCall" | "endCall" }) {
  const description = type === "endCall" ? "Ends the call." : "Transfers the call.";
  return {
    type: "function",
    function: { name: type, description, parameters: { type: "object", properties: {} } },
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

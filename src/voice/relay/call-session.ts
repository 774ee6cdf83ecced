import { answerTurn } from "../../assistant/answer-turn.ts";
import type { TurnEvent } from "../../assistant/turn.ts";
import type { App } from "../../context.ts";
import { truncateAnswer } from "../../conversations/truncate-answer.ts";
import type { LoggedEvent } from "../call-events.ts";
import { NOBODY } from "../project-transfer.ts";
import { type CallState, newCall } from "../turn/call-state.ts";
import type { DialogEffect, DialogEntry, DialogEvent, HandoffReason, TimerName } from "../turn/dialog.ts";
import { step } from "../turn/step.ts";
import { type CallLog, openCallLog } from "./call-log.ts";
import type { CallPlan } from "./call-plan.ts";
import type { RelayCommand, RelayMessage } from "./messages.ts";

/** The next question waits this long for the last one to be stored, which it is told of. */
const SETTLE_MS = 500;
const PROMPT_CHARS_MAX = 4_000;

/** What carries a call's words. */
export interface CallLine {
  /** @param turn the number of the answer that a text belongs to; null: of none */
  send(command: RelayCommand, turn: number | null): void;
  close(): void;
  /** Told of all that is logged: where somebody looks at the call beside hearing it. */
  note?(event: LoggedEvent): void;
}

/** What a question took so far, by a clock that only goes forward. */
interface TurnClock {
  turn: number;
  promptMs: number;
  /** When the model was asked; null: it was not. */
  askedMs: number | null;
  /** What the search for passages took; null: there was none. */
  retrievalMs: number | null;
}

/**
 * One call while it lasts, and the only one who writes its log. It decides nothing: what happens goes to the engine of
 * `turn/step.ts`, and what that wants is carried out here.
 */
export class CallSession {
  readonly callId: string;
  readonly #app: App;
  readonly #plan: CallPlan;
  readonly #line: CallLine;
  readonly #log: CallLog;
  readonly #timers = new Map<TimerName, NodeJS.Timeout>();
  /** The ids of the turns that were asked, by their numbers. */
  readonly #turnIds = new Map<number, string>();
  #state: CallState;
  #asking: { turn: number; controller: AbortController } | null = null;
  #clock: TurnClock | null = null;
  /** Of all that has been asked so far: it is stored, with no more than what was heard. */
  #settled: Promise<void> = Promise.resolve();
  #phrases = 0;
  #ended: Promise<void> | null = null;

  constructor(app: App, plan: CallPlan, line: CallLine) {
    this.#app = app;
    this.#plan = plan;
    this.#line = line;
    this.callId = plan.callId;
    const { owner, callId, attempt } = plan;
    const log = openCallLog(app, { owner, callId, line: attempt }, () => this.#overtaken());
    this.#log = noted(log, line);
    this.#state = newCall(plan.settings);
    this.#feed({ type: "started" });
  }

  hear(message: RelayMessage): void {
    switch (message.type) {
      case "prompt":
        this.#feed({
          type: "prompt",
          text: message.voicePrompt.slice(0, PROMPT_CHARS_MAX),
          isLast: message.last,
          language: message.lang ?? null,
        });
        break;
      case "interrupt":
        this.#feed({ type: "interrupt", heard: message.utteranceUntilInterrupt });
        break;
      case "dtmf":
        this.#feed({ type: "key", digit: message.digit });
        break;
      case "hang-up":
        if (this.#state.phase === "over") break;
        this.#feed({ type: "hung-up", isClean: true });
        void this.#end(null);
        break;
      case "error":
        this.#feed({ type: "carrier-error", description: message.description });
    }
  }

  /** The line is closed. Resolves once the call's end is written. */
  async hangUp(isClean: boolean): Promise<void> {
    this.#feed({ type: "hung-up", isClean });
    await this.#settled;
    await this.#ended;
  }

  /** This process is about to stop: the caller is told, and the call ends. */
  stop(): void {
    this.#feed({ type: "stopping" });
  }

  /** Its end was written elsewhere: by a sweep that took it for lost, or because what it belonged to was deleted. */
  #overtaken(): void {
    if (this.#state.phase === "over") return;
    this.#feed({ type: "hung-up", isClean: true });
    void this.#end(null);
  }

  /** A fault of ours ends this call, and no other: nobody above waits for what a timer or a socket throws. */
  #feed(event: DialogEvent): void {
    try {
      const { state, effects } = step(this.#state, event);
      this.#state = state;
      for (const effect of effects) this.#perform(effect);
    } catch (error) {
      this.#app.log.error({ error, callId: this.callId }, "a call was ended by a fault of ours");
      this.#state = { ...this.#state, phase: "over" };
      for (const timer of this.#timers.values()) clearTimeout(timer);
      this.#asking?.controller.abort();
      this.#ended ??= this.#log.end("internal_error");
      void this.#end(null);
    }
  }

  #perform(effect: DialogEffect): void {
    switch (effect.type) {
      case "ask":
        this.#ask(effect.turn, effect.text);
        break;
      case "cancel":
        if (this.#asking?.turn === effect.turn) this.#asking.controller.abort();
        break;
      case "truncate":
        this.#truncate(effect.turn, effect.heard);
        break;
      case "say":
        this.#line.send({ type: "text", token: effect.text, last: effect.isLast }, effect.turn);
        this.#stopClock(effect.turn);
        break;
      case "language": {
        const { language } = effect;
        this.#line.send({ type: "language", ttsLanguage: language, transcriptionLanguage: language }, null);
        break;
      }
      case "start-timer":
        this.#startTimer(effect.timer, effect.ms);
        break;
      case "stop-timer":
        clearTimeout(this.#timers.get(effect.timer));
        this.#timers.delete(effect.timer);
        break;
      case "log":
        this.#write(effect.entry);
        break;
      case "end":
        void this.#end(effect.handoff);
    }
  }

  #startTimer(timer: TimerName, ms: number): void {
    clearTimeout(this.#timers.get(timer));
    const handle = setTimeout(() => {
      this.#timers.delete(timer);
      this.#feed({ type: "timer", timer });
    }, ms);
    this.#timers.set(timer, handle);
  }

  #ask(turn: number, text: string): void {
    const controller = new AbortController();
    this.#asking = { turn, controller };
    this.#clock = { turn, promptMs: performance.now(), askedMs: null, retrievalMs: null };
    const turnId = this.#app.newId();
    this.#turnIds.set(turn, turnId);
    const before = this.#settled;
    const work = this.#answer(turn, turnId, text, before, controller.signal);
    this.#settled = Promise.all([before, work]).then(() => undefined);
  }

  async #answer(
    turn: number,
    turnId: string,
    text: string,
    before: Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { caller, workspaceSlug, contactId, instructions } = this.#plan;
    try {
      await within(before, SETTLE_MS);
      const question = {
        channel: "voice",
        sessionId: this.callId,
        threadSlug: null,
        contactId,
        text,
        images: [],
        attachments: [],
        mode: null,
        reset: false,
        client: null,
        turnId,
        instructions,
        onAsking: (retrievalMs: number) => this.#noteAsking(turn, retrievalMs),
      } as const;
      signal.throwIfAborted();
      for await (const event of answerTurn(this.#app, caller, workspaceSlug, question, signal))
        this.#follow(turn, event);
    } catch (error) {
      if (signal.aborted) return;
      this.#app.log.warn({ error, callId: this.callId }, "an answer on the phone failed");
      const message = error instanceof Error ? error.message.slice(0, 1_000) : "unknown";
      this.#log.add({ kind: "failure", source: "answer", message });
      this.#feed({ type: "failed", turn });
    }
  }

  #follow(turn: number, event: TurnEvent): void {
    switch (event.type) {
      case "text":
        this.#feed({ type: "token", turn, text: event.text });
        break;
      case "tool-started":
        this.#feed({ type: "tool-started", turn, callId: event.callId, tool: event.tool });
        break;
      case "tool-ended": {
        const { callId, tool, status, ms } = event;
        this.#feed({ type: "tool-ended", turn, callId, tool, isOk: status === "ok", ms });
        break;
      }
      case "end":
        this.#feed({ type: "answered", turn, isPaused: event.paused });
        break;
      case "client-calls":
        throw new Error("a caller has no tools");
    }
  }

  /** Once it is stored, and before the next question is told of it. */
  #truncate(turn: number, heard: string): void {
    const turnId = this.#turnIds.get(turn);
    if (turnId === undefined) return;
    const { caller, owner } = this.#plan;
    const address = { workspaceId: owner.workspaceId, sessionId: this.callId, heard };
    this.#settled = this.#settled
      .then(() => this.#app.db.asTenant(caller, (tx) => truncateAnswer(tx, turnId, address)))
      .catch((error: unknown) =>
        this.#app.log.warn({ error, callId: this.callId }, "what was heard of an answer could not be stored"),
      );
  }

  #noteAsking(turn: number, retrievalMs: number): void {
    if (this.#clock?.turn === turn) this.#clock = { ...this.#clock, askedMs: performance.now(), retrievalMs };
  }

  /** With the first words of an answer: how long the caller waited for them, and for whom. */
  #stopClock(turn: number | null): void {
    const clock = this.#clock;
    if (clock === null || turn !== clock.turn) return;
    this.#clock = null;
    const now = performance.now();
    const totalMs = now - clock.promptMs;
    // The words are sent in the same breath in which they came from the model.
    const modelMs = clock.askedMs === null ? 0 : now - clock.askedMs;
    const turnId = String(turn);
    const searched = clock.retrievalMs === null ? {} : { retrievalMs: clock.retrievalMs };
    this.#log.add({ kind: "turn_timed", turnId, totalMs, oursMs: totalMs - modelMs, modelMs, ...searched });
  }

  #write(entry: DialogEntry): void {
    const turnId = String(this.#state.turns);
    switch (entry.kind) {
      case "caller":
        this.#log.add({ kind: "caller_said", turnId, text: entry.text });
        break;
      case "keys":
        this.#log.add({ kind: "dtmf", digit: entry.digits.slice(0, 32) });
        break;
      case "agent":
        if (entry.turn === null) this.#phrases += 1;
        this.#log.add({ kind: "agent_said", turnId: this.#spokenId(entry.turn), text: entry.text });
        break;
      case "interrupted":
        this.#log.add({ kind: "interrupted", turnId: this.#spokenId(entry.turn), heard: entry.heard });
        break;
      case "tool-started": {
        const { callId, tool } = entry;
        this.#log.add({
          kind: "tool_started",
          turnId,
          toolCallId: callId.slice(0, 200),
          name: tool.slice(0, 200),
        });
        break;
      }
      case "tool-ended": {
        const { callId, tool, isOk, ms } = entry;
        const [toolCallId, name] = [callId.slice(0, 200), tool.slice(0, 200)];
        this.#log.add({ kind: "tool_ended", turnId, toolCallId, name, status: isOk ? "ok" : "failed", ms });
        break;
      }
      case "failed":
        break;
      case "silence":
        this.#log.add({ kind: "silence", ms: entry.ms });
        break;
      case "handoff":
        this.#log.add({
          kind: "transfer_requested",
          turnId,
          to: this.#plan.handoffNumber ?? NOBODY,
          reason: entry.reason,
          language: this.#state.language,
        });
        break;
      case "carrier-error":
        this.#log.add({ kind: "failure", source: "carrier", message: entry.description.slice(0, 1_000) });
        break;
      case "ended":
        this.#ended ??= this.#log.end(entry.reason);
    }
  }

  /** Sentences that are no answer have ids of their own: an interruption is of one of them. */
  #spokenId(turn: number | null): string {
    return turn === null ? `phrase-${this.#phrases}` : String(turn);
  }

  /** Why it ended is written before the carrier, told of the end, reports one of its own. */
  async #end(handoff: HandoffReason | null): Promise<void> {
    await this.#ended;
    const handoffData = handoff === null ? {} : { handoffData: JSON.stringify({ reason: handoff }) };
    this.#line.send({ type: "end", ...handoffData }, null);
    this.#line.close();
  }
}

function noted(log: CallLog, line: CallLine): CallLog {
  if (line.note === undefined) return log;
  return {
    add(event) {
      log.add(event);
      line.note?.(event);
    },
    end(reason) {
      line.note?.({ kind: "ended", reason });
      return log.end(reason);
    },
  };
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

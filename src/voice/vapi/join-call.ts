import { z } from "zod";
import type { JoinCall } from "../../assistant/held-call.ts";
import { languageOf } from "../../assistant/language.ts";
import type { App } from "../../context.ts";
import { resolveContact } from "../../conversations/resolve-contact.ts";
import { appendCallEvents } from "../append-call-events.ts";
import type { NewCallEvent } from "../call-events.ts";
import type { CallOwner } from "../call-row.ts";
import { NOBODY } from "../project-transfer.ts";
import { findCall } from "../relay/find-called.ts";
import { spokenInstructions } from "../turn/spoken-instructions.ts";
import { SPOKEN, spokenLanguage } from "../turn/spoken-phrases.ts";
import { findAssistantByKey } from "./find-assistant.ts";
import { openVapiCall } from "./open-vapi-call.ts";
import { CALL_TOOLS, speakAnswer, speakLast, type ToolEvent } from "./speak-answer.ts";
import { factsOf, VapiCall } from "./vapi-call.ts";

/**
 * A request that comes with the key of an assistant at Vapi and names a call is of that call: it is answered as on the
 * phone, in the call's own conversation, and goes into its log. Whatever else a request says, the key alone tells whose
 * it is.
 */
export const joinVapiCall: JoinCall = async (app, caller, request, asked) => {
  const { actor } = caller;
  const call = readCall(request);
  if (actor.kind !== "key" || actor.id === null || call === undefined) return null;
  const assistant = await findAssistantByKey(app, actor.id);
  if (assistant === undefined) return null;
  const startMs = performance.now();
  const { owner, firstMessage } = assistant;
  const { id: callId } = await openVapiCall(app, assistant, call);
  const contactId = await contactOf(app, owner, call);
  const turn = newTurn(app, owner, callId, asked, { startMs, canDial: canDial(request) });
  return {
    question: {
      channel: "voice",
      sessionId: callId,
      contactId,
      turnId: turn.id,
      instructions: spokenInstructions(firstMessage),
      onAsking: turn.noteAsking,
    },
    async *speak(events, signal) {
      const phrases = SPOKEN[spokenLanguage(languageOf(asked))];
      if (isTransferRefused(request)) {
        await turn.noteRefusal(phrases.nobodyReached);
        yield* speakLast(phrases.nobodyReached, turn.id);
        return;
      }
      const patienceMs = app.callWaits.slowAnswerMs;
      try {
        for await (const event of speakAnswer(
          events,
          { phrases, patienceMs, turnId: turn.id, hooks: turn.hooks },
          signal,
        )) {
          turn.note(event.type === "text" ? event.text : "");
          yield event;
        }
      } finally {
        await turn.write();
      }
    },
  };
};

/** Vapi offers the model, as tools, what it can do with the call. */
function canDial({ tools }: Readonly<Record<string, unknown>>): boolean {
  return Offered.safeParse(tools).data?.some((tool) => tool.function.name === CALL_TOOLS.transfer) === true;
}

const Offered = z.array(z.object({ function: z.object({ name: z.string() }) }));

/** Vapi asks again after what it was to do only if it could not: whoever was transferred is gone. */
function isTransferRefused({ messages }: Readonly<Record<string, unknown>>): boolean {
  return Refused.safeParse(Array.isArray(messages) ? messages.slice(-2) : undefined).success;
}

const Refused = z.tuple([
  z.object({
    tool_calls: z.tuple([z.object({ function: z.object({ name: z.literal(CALL_TOOLS.transfer) }) })]),
  }),
  z.object({ role: z.literal("tool") }),
]);

/** Vapi sends the call, and beside it who calls whom. */
function readCall({ call, phoneNumber, customer }: Readonly<Record<string, unknown>>): VapiCall | undefined {
  if (typeof call !== "object" || call === null) return undefined;
  const beside = {
    ...(phoneNumber == null ? {} : { phoneNumber }),
    ...(customer == null ? {} : { customer }),
  };
  return VapiCall.safeParse({ ...call, ...beside }).data;
}

/** A call goes on without a contact, too. */
async function contactOf(app: App, owner: CallOwner, call: VapiCall): Promise<string | null> {
  const { direction, from, to } = factsOf(call);
  const value = direction === "inbound" ? from : to;
  if (value === null) return null;
  return app.db
    .asTenant(owner, (tx) => resolveContact(app, tx, owner, [{ kind: "phone", value }]))
    .catch((error: unknown) => {
      app.log.warn({ error, workspaceId: owner.workspaceId }, "a caller's contact could not be found");
      return null;
    });
}

/** One question and its answer, on their way into the log: all at once, when the answer is over. */
function newTurn(
  app: App,
  owner: CallOwner,
  callId: string,
  asked: string,
  { startMs, canDial }: { startMs: number; canDial: boolean },
) {
  const id = app.newId();
  const askedAt = app.now();
  const events: NewCallEvent[] = [];
  let said = "";
  let saidAt = askedAt;
  let askedModelMs: number | null = null;
  let tookMs = 0;

  async function append(written: readonly NewCallEvent[]): Promise<void> {
    await appendCallEvents(app, owner, callId, written).catch((error: unknown) =>
      app.log.warn({ error, callId }, "a turn could not be written; the report has it, too"),
    );
  }
  return {
    id,
    noteAsking(retrievalMs: number) {
      askedModelMs = performance.now();
      tookMs = retrievalMs;
    },
    note(text: string) {
      if (said === "") saidAt = app.now();
      said += text;
    },
    hooks: {
      /** The words go out in the same breath in which they came from the model. */
      onFirstWords() {
        const now = performance.now();
        const totalMs = now - startMs;
        const modelMs = askedModelMs === null ? 0 : now - askedModelMs;
        const timed = { totalMs, oursMs: totalMs - modelMs, retrievalMs: tookMs, modelMs };
        events.push({ kind: "turn_timed", turnId: id, ...timed, at: app.now(), key: `timed:${id}` });
      },
      onTool(event: ToolEvent) {
        const [toolCallId, name] = [event.callId.slice(0, 200), event.tool.slice(0, 200)];
        const key = `${event.type}:${id}:${toolCallId}`.slice(0, 400);
        const tool = { turnId: id, toolCallId, name, at: app.now(), key };
        if (event.type === "tool-started") events.push({ kind: "tool_started", ...tool });
        else events.push({ kind: "tool_ended", ...tool, status: event.status, ms: event.ms });
      },
      /** Known before Vapi asks whom to dial. */
      async onHandoff() {
        const handoffNumber = canDial ? (await findCall(app, callId))?.handoffNumber : null;
        const to = handoffNumber ?? NOBODY;
        await append([
          { kind: "transfer_requested", turnId: id, to, reason: "human", at: app.now(), key: "handoff" },
        ]);
        return { canTransfer: to !== NOBODY };
      },
      onFailure(error: unknown) {
        app.log.warn({ error, callId }, "an answer on the phone failed");
        const message = error instanceof Error ? error.message.slice(0, 1_000) : "unknown";
        events.push({ kind: "failure", source: "answer", message, at: app.now(), key: `failure:${id}` });
      },
    },
    /** Of a question that nobody waited for the answer of, nothing: the caller went on speaking. */
    async write(): Promise<void> {
      if (said === "" && events.length === 0) return;
      const spoken: NewCallEvent[] =
        said === ""
          ? []
          : [{ kind: "agent_said", turnId: id, text: said.trim(), at: saidAt, key: `agent:${id}` }];
      const written: NewCallEvent[] = [
        { kind: "answered", at: askedAt, key: "answered" },
        { kind: "caller_said", turnId: id, text: asked.slice(0, 20_000), at: askedAt, key: `caller:${id}` },
        ...events,
        ...spoken,
      ];
      await append(written);
    },
    async noteRefusal(text: string): Promise<void> {
      const at = app.now();
      await append([
        { kind: "transfer_ended", status: "failed", at, key: "transfer-ended" },
        { kind: "agent_said", turnId: id, text, at, key: `agent:${id}` },
      ]);
    },
  };
}

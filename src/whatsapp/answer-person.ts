import { answerTurn } from "../assistant/answer-turn.ts";
import type { StoredAnswer } from "../assistant/turn.ts";
import type { App } from "../context.ts";
import { appendTurn } from "../conversations/append-turn.ts";
import { ownerOf } from "../conversations/conversation.ts";
import { openConversation } from "../conversations/open-conversation.ts";
import type { Tx } from "../db/database.ts";
import { Problem } from "../http/problem.ts";
import type { Messenger } from "../ports/messenger.ts";
import { ProviderError } from "../ports/provider-error.ts";
import { type Claim, finish, LostClaim } from "./answer-claim.ts";
import { type Question, unansweredText, understand, withoutImages } from "./answer-question.ts";
import { enterScene, type Scene } from "./answer-scene.ts";
import { turnIdOf } from "./answer-turn-id.ts";
import { openToken } from "./connection.ts";
import { formatAnswer } from "./format.ts";
import { languageFor } from "./language.ts";
import { queueOutgoing } from "./outgoing.ts";
import { WHATSAPP_PHRASES, type WhatsAppPhrases } from "./phrases.ts";

/** After so many attempts the person is told that there is no answer: a minute has passed by then. */
export const ANSWER_ATTEMPTS = 6;
const TYPING_TIMEOUT_MS = 5_000;
const UNSUPPORTED_AGAIN_MS = 24 * 3_600_000;

/**
 * Answers what one person wrote, or keeps it where nothing is to be answered. Once: in the transaction that stores the
 * turn, the messages are done and what goes out is in the outbox.
 *
 * @throws whatever kept it from being done; nothing has happened then, and it can be tried again
 */
export async function answerPerson(
  app: App,
  messenger: Messenger,
  claim: Claim,
  isSuspended: boolean,
  signal: AbortSignal,
): Promise<void> {
  const scene = await enterScene(app, claim, isSuspended);
  if (scene === null || (await followWish(app, scene))) return;
  if (scene.silence !== null) return store(app, scene, unansweredText(scene.said), null);
  showTyping(app, messenger, scene);
  const question = await understand(app, messenger, scene, signal);
  try {
    await ask(app, scene, question, signal);
  } catch (error) {
    if (error instanceof LostClaim || signal.aborted) throw error;
    if (isRejected(error) && question.images.length > 0)
      return ask(app, scene, withoutImages(question, scene.said), signal);
    // Erased while it was being answered: there is nobody to tell, and nothing to keep it in.
    if (error instanceof Problem && error.code === "not_found") return finishAll(app, scene);
    const isFinal = !mayPass(error) || claim.first.attempts >= ANSWER_ATTEMPTS;
    if (!isFinal) throw error;
    app.log.warn({ error, requestId: scene.caller.requestId }, "a WhatsApp message could not be answered");
    await store(app, scene, question.text, ["failed"]);
  }
}

/** STOP, and START after it. @returns whether that was all there was to do */
async function followWish(app: App, { wish, ...rest }: Scene): Promise<boolean> {
  const scene: Scene = { wish, ...rest };
  const { person, silence } = scene;
  const isOut = person.opted_out_at !== null;
  if (wish === null || silence === "suspended" || isOut === (wish === "stop")) return false;
  const optedOutAt = wish === "stop" ? app.now() : null;
  const isTold = silence !== "late";
  const phrase = wish === "stop" ? "stopped" : "started";
  await store(app, scene, unansweredText(scene.said), isTold ? [phrase] : null, async (tx) => {
    await tx
      .updateTable("whatsapp_contacts")
      .set({ opted_out_at: optedOutAt })
      .where("id", "=", person.id)
      .execute();
  });
  return true;
}

async function ask(app: App, scene: Scene, question: Question, signal: AbortSignal): Promise<void> {
  if (!question.isAnswerable) return decline(app, scene, question);
  const { caller, workspace, person } = scene;
  const { text, images, attachments } = question;
  const turn = answerTurn(
    app,
    caller,
    workspace.slug,
    {
      channel: "whatsapp",
      sessionId: person.id,
      threadSlug: null,
      contactId: person.contact_id,
      ...{ text, images, attachments },
      mode: null,
      reset: false,
      client: null,
      turnId: turnIdOf(lastRow(scene)),
      whenStored: (tx, stored) => queueAnswer(app, tx, scene, question, stored),
    },
    signal,
  );
  // Nobody reads along: what goes out is put into the outbox when the turn is stored.
  for await (const _ of turn);
}

/** In the transaction that stores the turn. */
async function queueAnswer(
  app: App,
  tx: Tx,
  scene: Scene,
  question: Question,
  { conversationId, answer }: StoredAnswer,
): Promise<void> {
  await finish(tx, rowsOf(scene));
  if (answer === null) return;
  const language = languageFor(question.text, scene.before, scene.person);
  const phrases = WHATSAPP_PHRASES[language];
  const { status } = await openConversation(app, tx, ownerOf(scene.person), addressOf(scene));
  const isHandedOff = status === "handoff" && scene.conversation.status !== "handoff";
  const texts = [
    answer.text,
    ...[...question.notes].map((note) => phrases[note]),
    ...(isHandedOff ? [phrases.handedOff] : []),
  ];
  await queueOutgoing(app, tx, {
    connectionId: scene.connection.id,
    person: scene.person,
    conversationId,
    messageId: answer.messageId,
    kind: "answer",
    replyKey: turnIdOf(lastRow(scene)),
    texts: formatAnswer(texts.join("\n\n"), answer.sources, language),
  });
}

/** Says honestly what it was that could not be understood. That WhatsApp hands something not on, once a day. */
async function decline(app: App, scene: Scene, { text, notes }: Question): Promise<void> {
  const { person } = scene;
  const now = app.now();
  const toldMs = person.told_unsupported_at?.getTime() ?? 0;
  const isToldAlready = now.getTime() - toldMs < UNSUPPORTED_AGAIN_MS;
  const said = [...notes].filter((note) => note !== "unsupported" || !isToldAlready);
  await store(app, scene, text, said.length === 0 ? null : said, async (tx) => {
    if (!said.includes("unsupported")) return;
    await tx
      .updateTable("whatsapp_contacts")
      .set({ told_unsupported_at: now })
      .where("id", "=", person.id)
      .execute();
  });
}

/** A turn that no engine was asked for: what was said, and what we say to it ourselves, if anything. */
async function store(
  app: App,
  scene: Scene,
  text: string,
  replies: readonly (keyof WhatsAppPhrases)[] | null,
  also: (tx: Tx) => Promise<void> = async () => undefined,
): Promise<void> {
  const phrases = WHATSAPP_PHRASES[languageFor(text, scene.before, scene.person)];
  const reply = replies?.map((phrase) => phrases[phrase]).join("\n\n") ?? null;
  const turnId = turnIdOf(lastRow(scene));
  await app.db.asTenant(
    scene.caller,
    async (tx) => {
      await finish(tx, rowsOf(scene));
      await also(tx);
      const { id: conversationId } = await openConversation(app, tx, ownerOf(scene.person), addressOf(scene));
      const { assistantId } = await appendTurn(app, tx, {
        conversationId,
        turnId,
        user: { text, at: app.now() },
        assistant: reply === null ? null : { text: reply, status: "complete", at: app.now() },
      });
      await queueOutgoing(app, tx, {
        connectionId: scene.connection.id,
        person: scene.person,
        conversationId,
        messageId: assistantId,
        kind: "notice",
        replyKey: turnId,
        texts: reply === null ? [] : [reply],
      });
    },
    "background",
  );
}

async function finishAll(app: App, scene: Scene): Promise<void> {
  await app.db.asTenant(scene.caller, (tx) => finish(tx, rowsOf(scene)), "background");
}

/** Seen, and being thought about. Nothing waits for it, and nothing fails with it. */
function showTyping(app: App, messenger: Messenger, { connection, said }: Scene): void {
  const wamid = said.at(-1)?.message.wamid;
  if (connection.phone_number_id === null || connection.token === null || wamid === undefined) return;
  const signal = AbortSignal.timeout(TYPING_TIMEOUT_MS);
  messenger
    .markRead(openToken(app, connection), connection.phone_number_id, wamid, true, signal)
    .catch((error: unknown) => app.log.debug({ error }, "a message could not be marked as read"));
}

function addressOf({ person }: Scene) {
  return {
    channel: "whatsapp",
    sessionId: person.id,
    threadSlug: null,
    contactId: person.contact_id,
  } as const;
}

function rowsOf({ said }: Scene) {
  return said.map(({ row }) => row);
}

function lastRow({ said }: Scene) {
  const last = said.at(-1);
  if (last === undefined) throw new Error("a scene without a word");
  return last.row;
}

/** The same question may be answered in a moment. */
function mayPass(error: unknown): boolean {
  if (error instanceof ProviderError) return error.retryable;
  return !(error instanceof Problem);
}

function isRejected(error: unknown): boolean {
  return error instanceof ProviderError && error.code === "rejected";
}

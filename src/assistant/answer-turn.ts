import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { askModel } from "./ask-model.ts";
import { attachedTools } from "./attached-tools.ts";
import { beginTurn, storeTurn, type Turn } from "./begin-turn.ts";
import { chooseModels } from "./choose-models.ts";
import { type Draft, draftOf, metricsOf } from "./draft.ts";
import { writeExtract } from "./extractive.ts";
import { groundQuestion } from "./grounding.ts";
import { languageOf } from "./language.ts";
import { PHRASES } from "./phrases.ts";
import { type Evidence, toSource } from "./sources.ts";
import type { TurnEvent, TurnQuestion } from "./turn.ts";

/**
 * One question answered, whatever the channel: the engine behind REST, the OpenAI-compatible surface, WhatsApp and the
 * phone. Its last event is the end, after which the turn is stored. Whoever stops listening, or aborts `signal`, ends
 * the model's work; what was said until then is stored as cancelled.
 *
 * @throws Problem `not_found`, `invalid_request` (longer than the model takes); ProviderError of the model; the reason
 * of `signal`
 */
export async function* answerTurn(
  app: App,
  caller: AccountCaller,
  slug: string,
  question: TurnQuestion,
  signal: AbortSignal,
): AsyncGenerator<TurnEvent, void, void> {
  const turn = await beginTurn(app, caller, slug, question);
  const draft = draftOf(app);
  if (turn.conversation?.bot_paused === true) {
    await storeTurn(app, turn, null);
    yield { type: "end", ...draft, metrics: metricsOf(app, draft), chatId: null, paused: true };
    return;
  }
  // What it is when nobody says otherwise: then nobody listens any more.
  let status: "complete" | "cancelled" | "failed" = "cancelled";
  let chatId: number | null = null;
  try {
    yield* writeAnswer(app, turn, draft, signal);
    status = "complete";
  } catch (error) {
    if (!signal.aborted) status = "failed";
    throw error;
  } finally {
    // An answer that failed before its first word is no turn: the person is told, and asks again.
    const isTurn = status !== "failed" || draft.text !== "";
    // Calls of the client's tools have no words yet; the turn is stored with its answer.
    const isOver = draft.reason !== "tool-calls" || draft.text !== "";
    // Who asks again must find nothing of this attempt.
    const isKept = status === "complete" || question.whenStored === undefined;
    if (isTurn && isOver && isKept) {
      const { text, sources } = draft;
      const store = storeTurn(app, turn, { text, sources, status, metrics: metricsOf(app, draft) });
      if (status === "complete") chatId = await store;
      // The first failure is the one worth reading.
      else await store.catch((error: unknown) => logLost(app, turn, error));
    }
  }
  yield { type: "end", ...draft, metrics: metricsOf(app, draft), chatId, paused: false };
}

function logLost(app: App, { caller, workspace }: Turn, error: unknown): void {
  const { requestId, partnerId, accountId } = caller;
  app.log.error(
    { error, requestId, partnerId, accountId, workspaceId: workspace.id },
    "an unfinished turn could not be stored",
  );
}

async function* writeAnswer(
  app: App,
  turn: Turn,
  draft: Draft,
  signal: AbortSignal,
): AsyncGenerator<TurnEvent, void, void> {
  const { workspace, question, turns } = turn;
  const mode = question.mode ?? workspace.chat_mode;
  const attached = mode === "automatic" && turn.hasTools ? await attachedTools(app, turn, signal) : [];
  const models = await chooseModels(app, turn, attached.length > 0);
  const grounding = await groundQuestion(
    app,
    workspace,
    { question: question.text, mode, turns, models },
    signal,
  );
  signal.throwIfAborted();
  draft.usage = { ...grounding.usage };
  if (mode === "query" && grounding.evidence.length === 0) {
    yield say(draft, workspace.query_refusal_response ?? phrasesFor(turn, []).nothingFound);
  } else if (models.length === 0) {
    draft.sources = grounding.evidence.map(toSource);
    yield say(draft, withoutModel(turn, grounding.evidence));
  } else {
    yield* askModel(app, turn, { mode, models, attached, grounding }, draft, signal);
  }
}

function withoutModel(turn: Turn, evidence: readonly Evidence[]): string {
  const languages = evidence.map(({ metadata }) => metadata.language);
  const { text } = turn.question;
  if (evidence.length > 0) return writeExtract(text, evidence, languageOf(text, languages));
  const phrases = phrasesFor(turn, languages);
  return `${phrases.nothingFound}\n\n${phrases.onlyQuotes}`;
}

function phrasesFor({ question }: Turn, languages: readonly (string | null)[]) {
  return PHRASES[languageOf(question.text, languages)];
}

function say(draft: Draft, text: string): TurnEvent {
  draft.text += text;
  return { type: "text", text };
}

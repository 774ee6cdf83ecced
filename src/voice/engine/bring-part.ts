import type { App } from "../../context.ts";
import { ownerColumns, ownerOf } from "../../conversations/conversation.ts";
import type { Tx } from "../../db/database.ts";
import { JobPostponed, JobRetry, type RunningJob } from "../../jobs/worker.ts";
import { CarrierError } from "../../ports/carrier.ts";
import { ProviderError } from "../../ports/provider-error.ts";
import type { VoiceEngine, VoiceEngineName } from "../../ports/voice-engine.ts";
import {
  dropEntry,
  type EntryRow,
  holdEntry,
  insertEntry,
  isClaimed,
  isTaken,
  setEntry,
  type WantedEntry,
} from "./engine-entry.ts";

/** Something that an engine may have of ours: an assistant, or a number. */
export interface EnginePart<Wanted extends WantedEntry> {
  kind: EntryRow["kind"];
  subject: string;
  /** What is wanted now; null: that the engine has nothing of it. */
  want(tx: Tx): Promise<Wanted | null>;
  /** Makes ready what telling needs, in the transaction that writes down that it is told. */
  prepare?(tx: Tx, entry: EntryRow, wanted: Wanted): Promise<Partial<EntryRow>>;
  /** @returns the engine's own id of it */
  tell(engine: VoiceEngine, wanted: Wanted, entry: EntryRow, signal: AbortSignal): Promise<string | null>;
  remove(engine: VoiceEngine, entry: EntryRow, signal: AbortSignal): Promise<void>;
  /** In the transaction that writes down that nothing is left. */
  removed?(tx: Tx, entry: EntryRow): Promise<void>;
}

const CALL_MS = 15_000;
/** A job that is gone leaves its claim; longer than any call. */
const CLAIM_MS = 30_000;
const RETRY_MS = 5 * 60_000;

/**
 * Brings the engine to what is wanted, and looks again until that is what it was told last. Whoever changes what is
 * wanted enqueues a job of its own for that change: so the newest state is the last one told, whatever crashes, and
 * however many jobs there are. One job tells an engine of a part at a time.
 *
 * @throws JobRetry when the engine did not take it; JobPostponed while another job tells it
 */
export async function bringPart<Wanted extends WantedEntry>(
  app: App,
  job: RunningJob,
  part: EnginePart<Wanted>,
): Promise<void> {
  for (;;) {
    job.signal.throwIfAborted();
    const step = await beginStep(app, job, part);
    if (step === undefined) return;
    const { entry, wanted } = step;
    try {
      const signal = AbortSignal.any([job.signal, AbortSignal.timeout(CALL_MS)]);
      const engine = engineOf(app, entry.engine);
      if (wanted === null) await part.remove(engine, entry, signal);
      const engineId = wanted === null ? null : await part.tell(engine, wanted, entry, signal);
      await endStep(app, job, part, entry, wanted === null ? null : { state: wanted.state, engineId });
    } catch (error) {
      if (job.signal.aborted || error instanceof JobPostponed) throw error;
      throw await noteFailure(app, job, entry, error);
    }
  }
}

/** Claims the part for this job, and says what to tell next; `undefined`: the engine has what is wanted. */
async function beginStep<Wanted extends WantedEntry>(app: App, job: RunningJob, part: EnginePart<Wanted>) {
  return app.db.asSystem(
    "jobs",
    async (tx): Promise<{ entry: EntryRow; wanted: Wanted | null } | undefined> => {
      const held = await holdEntry(tx, part);
      if (held !== undefined && isClaimed(app, held, job.id)) throw busy();
      const wanted = await part.want(tx);
      const isThere = held === undefined ? wanted === null : isTaken(held, wanted);
      if (isThere) {
        if (held !== undefined) await setEntry(app, tx, held, { claimed_by: null, claimed_until: null });
        return undefined;
      }
      const entry = held ?? (wanted === null ? undefined : await insertEntry(app, tx, part, wanted));
      if (entry === undefined) throw busy();
      // What another engine has of it is removed there first.
      const next = wanted !== null && wanted.engine === entry.engine ? wanted : null;
      const prepared = next === null ? {} : await part.prepare?.(tx, entry, next);
      const claimed = await setEntry(app, tx, entry, {
        ...(next === null ? {} : ownerColumns(next.owner)),
        ...prepared,
        applied: null,
        claimed_by: job.id,
        claimed_until: new Date(app.now().getTime() + CLAIM_MS),
      });
      return { entry: claimed, wanted: next };
    },
    "background",
  );
}

async function endStep<Wanted extends WantedEntry>(
  app: App,
  job: RunningJob,
  part: EnginePart<Wanted>,
  entry: EntryRow,
  taken: { state: string; engineId: string | null } | null,
): Promise<void> {
  await app.db.asSystem(
    "jobs",
    async (tx) => {
      const held = await holdEntry(tx, entry);
      if (held?.claimed_by !== job.id) return noteOverlap(app, tx, entry, held);
      if (taken === null) {
        await part.removed?.(tx, held);
        return dropEntry(tx, held);
      }
      const { state: applied, engineId: engine_id } = taken;
      await setEntry(app, tx, held, { applied, engine_id, error: null, failed_at: null });
    },
    "background",
  );
}

/** @returns what the job fails with, to be tried again */
async function noteFailure(app: App, job: RunningJob, entry: EntryRow, error: unknown): Promise<unknown> {
  const reason = reasonOf(entry.engine, error);
  await app.db.asSystem(
    "jobs",
    async (tx) => {
      const held = await holdEntry(tx, entry);
      if (held?.claimed_by !== job.id) return noteOverlap(app, tx, entry, held);
      const change = { error: reason ?? "An internal error; the log has it.", failed_at: app.now() };
      await setEntry(app, tx, held, { ...change, claimed_by: null, claimed_until: null });
    },
    "background",
  );
  if (reason === undefined) return error;
  return new JobRetry("engine_failed", reason, { cause: error, withinMs: RETRY_MS });
}

/**
 * Another job has taken over while this one stood still, and nobody knows whose words arrived last: whichever of them
 * looks next tells the engine again.
 */
async function noteOverlap(app: App, tx: Tx, entry: EntryRow, held: EntryRow | undefined): Promise<void> {
  if (held === undefined) await insertEntry(app, tx, entry, { ...entry, owner: ownerOf(entry) });
  else await setEntry(app, tx, held, { applied: null });
}

/** In words for whoever looks at the integration; `undefined`: nobody else is at fault. */
function reasonOf(engine: VoiceEngineName, error: unknown): string | undefined {
  if (error instanceof EngineMissing) return error.message;
  if (error instanceof CarrierError) return `${error.provider}: ${error.said ?? error.message}`;
  if (error instanceof ProviderError) return error.message;
  if (error instanceof DOMException && error.name === "TimeoutError")
    return `${engine} did not answer in ${CALL_MS / 1_000} seconds.`;
  return undefined;
}

class EngineMissing extends Error {
  override name = "EngineMissing";
}

function engineOf(app: App, name: VoiceEngineName): VoiceEngine {
  const engine = app.voiceEngines[name];
  if (engine === null) throw new EngineMissing(`The voice engine ${name} is not set up here.`);
  return engine;
}

function busy(): JobPostponed {
  return new JobPostponed("another job tells the engine");
}

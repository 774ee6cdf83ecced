import { Worker } from "node:worker_threads";
import { RetrievalError } from "./retrieval-error.ts";
import { asMessage, fromPlainError, toPlainError, type WorkerMessage } from "./worker-protocol.ts";

/** Calls into a worker thread that is started when first needed and again after it died. */
export type WorkerClient = {
  /**
   * @throws RetrievalError `worker_lost` (retryable) when the worker dies under the call, the signal's reason when it
   * is aborted, or what the worker threw
   */
  call: (method: string, payload: unknown, signal?: AbortSignal) => Promise<unknown>;
  /** Ends the worker; calls in flight fail. A later call starts it again. */
  close: () => Promise<void>;
};

export type WorkerClientOptions = {
  file: URL;
  workerData: unknown;
  /** Answers what the worker asks of this thread; left out, it may ask nothing. */
  answer?: (method: string, payload: unknown) => Promise<unknown>;
  /** JavaScript heap of the worker; beyond it the worker dies, not the process. Kernel memory is not in it. */
  heapMb: number;
  /** After so long without calls the worker is ended and its memory given back; never when left out. */
  idleMs?: number;
};

/** Left alone, V8 keeps 100 MB more of short-lived objects a thread before it looks for garbage. */
const YOUNG_MB = 8;

type Pending = { resolve: (value: unknown) => void; reject: (reason: unknown) => void };

export function createWorkerClient(options: WorkerClientOptions): WorkerClient {
  const { file, workerData, answer = refuseToAnswer, heapMb, idleMs } = options;
  const resourceLimits = { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: YOUNG_MB };
  const pending = new Map<number, Pending>();
  let worker: Worker | null = null;
  let idle: NodeJS.Timeout | undefined;
  let lastId = 0;

  const start = (): Worker => {
    const started = new Worker(file, { workerData, resourceLimits });
    const lost = (why: string) => {
      if (worker !== started) return;
      worker = null;
      const error = new RetrievalError(
        "worker_lost",
        `The worker ended under the request (${why}). Try again.`,
      );
      for (const { reject } of pending.values()) reject(error);
      pending.clear();
    };
    started.on("message", (data) => receive(started, asMessage(data)));
    started.on("error", (error) => lost(error instanceof Error ? error.message : String(error)));
    started.on("exit", (code) => lost(`exit code ${code}`));
    return started;
  };

  const receive = (from: Worker, message: WorkerMessage): void => {
    if (message.kind === "ask") void reply(from, message.id, message.method, message.payload);
    else if (message.kind === "answer") pending.get(message.id)?.resolve(message.value);
    else if (message.kind === "failure") pending.get(message.id)?.reject(fromPlainError(message.error));
  };

  const reply = async (to: Worker, id: number, method: string, payload: unknown): Promise<void> => {
    try {
      post(to, { kind: "answer", id, value: await answer(method, payload) });
    } catch (error) {
      post(to, { kind: "failure", id, error: toPlainError(error) });
    }
  };

  const call = async (method: string, payload: unknown, signal?: AbortSignal): Promise<unknown> => {
    signal?.throwIfAborted();
    clearTimeout(idle);
    worker ??= start();
    const target = worker;
    const id = ++lastId;
    const answered = new Promise<unknown>((resolve, reject) => pending.set(id, { resolve, reject }));
    const abort = () => {
      post(target, { kind: "cancel", id });
      pending.get(id)?.reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      post(target, { kind: "ask", id, method, payload });
      return await answered;
    } finally {
      signal?.removeEventListener("abort", abort);
      pending.delete(id);
      if (idleMs !== undefined && pending.size === 0) idle = setTimeout(close, idleMs).unref();
    }
  };

  const close = async (): Promise<void> => {
    clearTimeout(idle);
    await worker?.terminate();
  };

  return { call, close };
}

async function refuseToAnswer(method: string): Promise<never> {
  throw new Error(`A worker asked for ${method}, which nobody here knows.`);
}

function post(worker: Worker, message: WorkerMessage): void {
  worker.postMessage(message);
}

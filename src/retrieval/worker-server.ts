import { parentPort } from "node:worker_threads";
import { asMessage, fromPlainError, toPlainError, type WorkerMessage } from "./worker-protocol.ts";

export type Handler = (payload: unknown, signal: AbortSignal) => unknown;
export type AskMainThread = (method: string, payload: unknown) => Promise<unknown>;

/**
 * Serves the calls of `createWorkerClient` inside the worker. Calls begin one per turn of the event loop, so that a
 * cancellation overtakes the calls that wait before it.
 */
export function serveWorker(makeHandlers: (ask: AskMainThread) => Record<string, Handler>): void {
  const port = parentPort;
  if (!port) throw new Error("This file is the inside of a worker thread.");
  const send = (message: WorkerMessage) => port.postMessage(message);
  const asked = new Map<number, { resolve: (value: unknown) => void; reject: (reason: unknown) => void }>();
  const running = new Map<number, AbortController>();
  let lastId = 0;

  const handlers = makeHandlers((method, payload) => {
    const id = ++lastId;
    return new Promise<unknown>((resolve, reject) => {
      asked.set(id, { resolve, reject });
      send({ kind: "ask", id, method, payload });
    }).finally(() => asked.delete(id));
  });

  const run = async (id: number, method: string, payload: unknown): Promise<void> => {
    const controller = running.get(id);
    if (!controller) return;
    try {
      const handler = handlers[method];
      if (!handler) throw new Error(`The worker knows no ${method}.`);
      const value = await handler(payload, controller.signal);
      if (running.has(id)) send({ kind: "answer", id, value });
    } catch (error) {
      if (running.has(id)) send({ kind: "failure", id, error: toPlainError(error) });
    } finally {
      running.delete(id);
    }
  };

  const queue: (() => void)[] = [];
  const drain = () => {
    queue.shift()?.();
    if (queue.length > 0) setImmediate(drain);
  };

  port.on("message", (data) => {
    const message = asMessage(data);
    if (message.kind === "ask") {
      running.set(message.id, new AbortController());
      queue.push(() => void run(message.id, message.method, message.payload));
      if (queue.length === 1) setImmediate(drain);
    } else if (message.kind === "cancel") {
      running.get(message.id)?.abort();
      running.delete(message.id);
    } else if (message.kind === "answer") asked.get(message.id)?.resolve(message.value);
    else asked.get(message.id)?.reject(fromPlainError(message.error));
  });
}

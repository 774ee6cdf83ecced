import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";

/** Answered for bytes that PGlite itself could not process; the connection is beyond repair then. */
export interface WorkerFailure {
  failure: string;
}

/**
 * A statement's plan is made when it is first sent and stays until its tables are analyzed again: one made for an empty
 * table would read all of it, at every turn, when it has grown. So an index is used wherever there is one. Statistics
 * are of a tenth of the usual sample, since they are taken between the statements of those who wait.
 */
const SETTINGS = [
  ...["-c", "shared_buffers=32MB"],
  ...["-c", "enable_seqscan=off"],
  ...["-c", "default_statistics_target=10"],
];

const database = await PGlite.create({
  dataDir: String(workerData),
  startParams: [...PGlite.defaultStartParams, ...SETTINGS],
});

/** PostgreSQL wire protocol in, wire protocol out: the thread is a socket, and PGlite the server behind it. */
parentPort?.on("message", (message: Uint8Array | "close") => {
  if (message === "close") void database.close().then(() => parentPort?.close());
  else answer(message);
});

/**
 * The call is done when it returns, so answers keep the order of the messages. The streaming variant, because the plain
 * one also parses all it answers, for listeners that only this process would have: a fifth of the thread's time.
 */
function answer(message: Uint8Array): void {
  const chunks: Uint8Array[] = [];
  database
    .execProtocolRawStream(message, { syncToFs: false, onRawData: (chunk) => chunks.push(chunk.slice()) })
    .then(
      () => {
        for (const chunk of chunks) parentPort?.postMessage(chunk, [chunk.buffer as ArrayBuffer]);
      },
      (error: unknown) => parentPort?.postMessage({ failure: String(error) } satisfies WorkerFailure),
    );
}

parentPort?.postMessage("ready");

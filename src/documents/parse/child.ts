import { closeSync, openSync, readSync } from "node:fs";
import { Socket } from "node:net";
import { checkFileType, FILE_HEAD_BYTES } from "../file-type.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import { asParseJob, type ParseJob, type ParseMessage, PIECE_CHARS } from "./protocol.ts";
import { READERS } from "./readers.ts";
import { startWatchdog } from "./watchdog.ts";

// The process that reads files. It has no environment, may write nowhere and start nothing; this takes the network
// from it too, so that no document can make it fetch anything.
globalThis.fetch = async () => {
  throw new Error("the reading process does not use the network");
};
Socket.prototype.connect = () => {
  throw new Error("the reading process does not use the network");
};

startWatchdog(Number(process.argv[2]));

// The server is gone: nobody waits for the answer.
process.on("disconnect", () => process.exit(0));
process.on("message", (message) => void work(asParseJob(message)));
void send({ kind: "ready" });

async function work(job: ParseJob): Promise<void> {
  try {
    const document = await read(job);
    let at = 0;
    for (; document.text.length - at > PIECE_CHARS; at += PIECE_CHARS)
      await send({ kind: "text", id: job.id, piece: document.text.slice(at, at + PIECE_CHARS) });
    const last = { ...document, text: document.text.slice(at) };
    await send({ kind: "done", id: job.id, document: last, memoryBytes: process.memoryUsage.rss() });
  } catch (error) {
    const { code, message, detail } = asFailure(error);
    await send({ kind: "failed", id: job.id, code, message, detail, memoryBytes: process.memoryUsage.rss() });
  }
}

async function read(job: ParseJob): Promise<ParsedDocument> {
  const type = checkFileType({ ...job, head: readHead(job.path) });
  const reader = await READERS[type.format]();
  const document = await reader({
    ...job,
    type,
    progress: (progress) => void send({ kind: "progress", id: job.id, progress }),
  });
  if (document.text.trim() !== "") return document;
  const why = document.warnings.length > 0 ? ` ${document.warnings.join(" ")}` : "";
  throw new ParseFailure("empty", `No text was found in the file.${why}`);
}

/** @throws ParseFailure `unavailable`: that the file is gone is not the sender's fault */
function readHead(path: string): Uint8Array {
  try {
    const file = openSync(path, "r");
    const head = Buffer.alloc(FILE_HEAD_BYTES);
    const length = readSync(file, head, 0, FILE_HEAD_BYTES, 0);
    closeSync(file);
    return head.subarray(0, length);
  } catch (error) {
    throw new ParseFailure(
      "unavailable",
      "The file could not be opened on the server. Try again.",
      String(error),
    );
  }
}

/** Whatever a library throws means that it could not make sense of the file. */
function asFailure(error: unknown): ParseFailure {
  if (error instanceof ParseFailure) return error;
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (/out of memory|allocation failed|Invalid string length|Array buffer allocation/i.test(detail))
    return new ParseFailure(
      "too_much_memory",
      "The file takes too much memory to read. Split it into smaller files.",
      detail,
    );
  return new ParseFailure(
    "damaged",
    "The file is damaged or unusual and cannot be read. Export it again.",
    detail.slice(0, 4_000),
  );
}

/** Resolves once the message is on its way, so that a large text is not held twice. */
function send(message: ParseMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send && process.connected) process.send(message, () => resolve());
    else resolve();
  });
}

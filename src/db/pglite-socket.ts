import { Duplex } from "node:stream";
import type { Worker } from "node:worker_threads";

/**
 * Looks like a TCP socket to `pg` and carries its bytes to the PGlite thread. What is written in one tick travels as
 * one message, so a pipelined transaction costs one thread switch each way.
 */
export class PgliteSocket extends Duplex {
  readonly #worker: Worker;
  #pending: Buffer[] = [];

  constructor(worker: Worker) {
    super({ writableHighWaterMark: 64 * 1024 * 1024 });
    this.#worker = worker;
    worker.on("message", (message: Uint8Array | { failure: string }) => {
      if (message instanceof Uint8Array) this.push(message);
      else this.destroy(new Error(`the embedded database failed: ${message.failure}`));
    });
    worker.on("error", (error) => this.destroy(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", () => this.destroy());
  }

  /** `pg` connects its stream itself; there is nothing to dial. */
  connect(): this {
    queueMicrotask(() => this.emit("connect"));
    return this;
  }

  /** Socket options that `pg` sets and a thread does not have. */
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#pending.length === 0) queueMicrotask(() => this.#flush());
    this.#pending.push(chunk);
    done();
  }

  #flush(): void {
    const bytes = new Uint8Array(this.#pending.reduce((sum, chunk) => sum + chunk.length, 0));
    let offset = 0;
    for (const chunk of this.#pending) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    this.#pending = [];
    this.#worker.postMessage(bytes, [bytes.buffer]);
  }
}

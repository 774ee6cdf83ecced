import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";

export interface Sent {
  method: "GET" | "POST";
  path: string;
  headers: Record<string, string>;
  body?: Buffer;
}

export interface Reply {
  status: number;
  body: string;
}

export interface Measured {
  count: number;
  seconds: number;
  failed: number;
  timesMs: number[];
  /** Processor time of the server and the processes it started. */
  cpuMicros: number;
}

interface Plan {
  /** Whose processor time is counted. */
  pid: number;
  url: string;
  connections: number;
  /** Ends after this time, or when `signal` is aborted. */
  seconds: number;
  signal?: AbortSignal;
  /** The n-th request. */
  next: (n: number) => Sent;
  /** Default: any status below 300. */
  isGood?: (reply: Reply) => boolean;
}

/** A few clients, each sending its next request when the last was answered: every one may have its own body. */
export async function drive({
  pid,
  url,
  connections,
  seconds,
  signal,
  next,
  isGood,
}: Plan): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const timesMs: number[] = [];
  let failed = 0;
  let sent = 0;
  const cpuBefore = treeCpuMicros(pid);
  const begun = performance.now();
  const isOver = () => signal?.aborted === true || performance.now() - begun > seconds * 1000;
  async function client(): Promise<void> {
    while (!isOver()) {
      const wanted = next(sent++);
      const at = performance.now();
      const reply = await send(agent, url, wanted);
      timesMs.push(performance.now() - at);
      if (!(isGood ?? isFine)(reply)) {
        if (failed === 0) process.stderr.write(`${reply.status} ${reply.body.slice(0, 300)}\n`);
        failed += 1;
      }
    }
  }
  await Promise.all(Array.from({ length: connections }, client));
  const measured = {
    count: timesMs.length,
    seconds: (performance.now() - begun) / 1000,
    failed,
    timesMs,
    cpuMicros: treeCpuMicros(pid) - cpuBefore,
  };
  agent.destroy();
  return measured;
}

const isFine = ({ status }: Reply) => status < 300;

export function send(agent: Agent, url: string, { method, path, headers, body }: Sent): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const outgoing = request(
      { agent, host: hostname, port, method, path, headers: { ...headers, ...length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
        response.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** The rounds of one subject as one row's figures. */
export function summary(rounds: readonly Measured[]) {
  const timesMs = rounds.flatMap((round) => round.timesMs).toSorted((a, b) => a - b);
  const count = rounds.reduce((sum, round) => sum + round.count, 0);
  return {
    perSecond: count / rounds.reduce((sum, round) => sum + round.seconds, 0),
    p50Ms: percentile(timesMs, 0.5),
    p99Ms: percentile(timesMs, 0.99),
    cpuMs: rounds.reduce((sum, round) => sum + round.cpuMicros, 0) / count / 1000,
    failed: rounds.reduce((sum, round) => sum + round.failed, 0),
  };
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function form(fields: Record<string, string>, fileName: string, content: Buffer | string) {
  const boundary = "----------------------------lumenone-bench";
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${fileName}"\r\n\r\n`;
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([
      Buffer.from(parts.join("") + head),
      Buffer.from(content),
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  };
}

/** User and system time of a process, of those it started, and of those among them that have ended. Linux only. */
export function treeCpuMicros(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  return childrenOf(pid).reduce((sum, child) => sum + treeCpuMicros(child), ticks * 10_000);
}

/** Started by any thread of the process. */
export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1")
      .trim()
      .split(" ")
      .filter(Boolean)
      .map(Number),
  );
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { FileStore } from "../../src/ports/file-store.ts";
import { diskFileStore } from "../../src/providers/disk/disk-file-store.ts";
import type { S3Options } from "../../src/providers/s3/s3-client.ts";
import { s3FileStore } from "../../src/providers/s3/s3-file-store.ts";

const require = createRequire(import.meta.url);

export type OpenStore = { store: FileStore; close(): Promise<void> };

export async function openDiskStore(): Promise<OpenStore & { root: string }> {
  const root = await mkdtemp(join(tmpdir(), "file-store-"));
  return { store: diskFileStore({ root }), root, close: () => rm(root, { recursive: true, force: true }) };
}

/** An S3 server from npm in a process of its own, on loopback; it checks signatures and keeps objects in a folder. */
export async function startS3Server(): Promise<{ options: S3Options; close(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "s3-server-"));
  const script = require.resolve("s3rver/bin/s3rver.js");
  const flags = ["-d", directory, "-a", "127.0.0.1", "-p", "0", "--silent", "--configure-bucket", "lumenone"];
  const server = spawn(process.execPath, ["--no-deprecation", script, ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return {
    options: {
      endpoint: `http://127.0.0.1:${await portOf(server.stdout)}`,
      region: "eu-central-1",
      bucket: "lumenone",
      accessKeyId: "S3RVER",
      secretAccessKey: "S3RVER",
    },
    async close() {
      server.kill();
      await once(server, "exit");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function portOf(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const port = /listening on .*:(\d+)/.exec(line)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error("the S3 server ended before it listened");
}

export async function openS3Store(): Promise<OpenStore> {
  const { options, close } = await startS3Server();
  return { store: s3FileStore(options), close };
}

/** A bucket of the reader's own, to prove a store we do not have: set `S3_TEST_ENDPOINT` and its companions. */
export function ownBucket(env: NodeJS.ProcessEnv): (() => Promise<OpenStore>) | null {
  const endpoint = env.S3_TEST_ENDPOINT;
  if (endpoint === undefined) return null;
  const options = {
    endpoint,
    region: env.S3_TEST_REGION ?? "us-east-1",
    bucket: env.S3_TEST_BUCKET ?? "lumenone",
    accessKeyId: env.S3_TEST_ACCESS_KEY_ID ?? "",
    secretAccessKey: env.S3_TEST_SECRET_ACCESS_KEY ?? "",
  };
  return async () => ({ store: s3FileStore(options), close: async () => {} });
}

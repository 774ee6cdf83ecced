import type { Readable } from "node:stream";
import type { FastifyReply } from "fastify";

/** An answer that is a file. */
export class Download {
  readonly body: Readable;
  readonly file: { fileName: string; mime: string; sizeBytes: number };
  constructor(body: Readable, file: { fileName: string; mime: string; sizeBytes: number }) {
    this.body = body;
    this.file = file;
  }
}

/** Always as an attachment, in a sandbox: what strangers uploaded must not run under our origin. */
export function sendDownload(reply: FastifyReply, { body, file }: Download): FastifyReply {
  const ascii = file.fileName.replace(/[^\x20-\x7e]|["\\]/g, "_");
  return reply
    .headers({
      "content-disposition": `attachment; filename="${ascii}"; filename*=UTF-8''${encodeURIComponent(file.fileName)}`,
      "content-length": file.sizeBytes,
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
    })
    .type(file.mime)
    .send(body);
}

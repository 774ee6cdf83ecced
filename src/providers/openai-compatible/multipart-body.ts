import type { Audio } from "../../ports/transcriber.ts";

export type MultipartBody = {
  headers: Record<string, string>;
  body: ReadableStream<Uint8Array>;
  /** What the file's own stream threw while it was sent; undefined when it did not. */
  failure(): unknown;
};

/**
 * A `multipart/form-data` body (RFC 7578) that streams its one file. `FormData` would want the file as a `Blob`,
 * whole in memory. The length is known beforehand, since several servers refuse chunked uploads.
 */
export function multipartBody(boundary: string, fields: Record<string, string>, file: Audio): MultipartBody {
  const head = Buffer.from(
    Object.entries(fields)
      .map(
        ([name, value]) =>
          `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      )
      .join("") +
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${quotable(file.fileName)}"\r\n` +
      `content-type: ${oneLine(file.contentType)}\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  let failure: unknown;
  async function* bytes() {
    yield head;
    let sent = 0;
    try {
      for await (const chunk of file.body) {
        sent += chunk.byteLength;
        yield chunk;
      }
      if (sent !== file.sizeBytes) throw new RangeError(`the file has ${sent} bytes, not ${file.sizeBytes}`);
    } catch (error) {
      failure = error;
      throw error;
    }
    yield tail;
  }
  return {
    headers: {
      "content-type": `multipart/form-data; boundary=${boundary}`,
      "content-length": String(head.byteLength + file.sizeBytes + tail.byteLength),
    },
    body: ReadableStream.from(bytes()),
    failure: () => failure,
  };
}

/** As browsers escape names in a form (the HTML standard's "multipart/form-data encoding algorithm"). */
function quotable(name: string): string {
  return name.replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
}

function oneLine(text: string): string {
  return text.replace(/[\r\n].*$/s, "");
}

/** A field of a form, or a file when it has a file name. */
export interface Part {
  name: string;
  fileName?: string;
  type?: string;
  content: string | Uint8Array;
}

/** What goes over the wire, with its content type. */
export interface Content {
  type: string;
  data: string | Uint8Array<ArrayBuffer>;
}

const BOUNDARY = "----generated-tests-7d4e8f50";
const encoder = new TextEncoder();

/** A form as browsers send it, but for names and contents, which may be anything. */
export function encodeForm(parts: readonly Part[], end = `--${BOUNDARY}--\r\n`): Content {
  const pieces = parts.flatMap((part) => [
    encoder.encode(`--${BOUNDARY}\r\n${headOf(part)}\r\n\r\n`),
    typeof part.content === "string" ? encoder.encode(part.content) : part.content,
    encoder.encode("\r\n"),
  ]);
  return {
    type: `multipart/form-data; boundary=${BOUNDARY}`,
    data: new Uint8Array(Buffer.concat([...pieces, encoder.encode(end)])),
  };
}

/** Fields of text as the parts of a form. */
export function fieldParts(fields: object): Part[] {
  return Object.entries(fields).map(([name, content]) => ({
    name,
    content: typeof content === "string" ? content : (JSON.stringify(content) ?? ""),
  }));
}

function headOf({ name, fileName, type }: Part): string {
  const file = fileName === undefined ? "" : `; filename="${escaped(fileName)}"`;
  const head = `content-disposition: form-data; name="${escaped(name)}"${file}`;
  return type === undefined ? head : `${head}\r\ncontent-type: ${type}`;
}

function escaped(text: string): string {
  return text.replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
}

import PostalMime, { type Address, type Attachment, type Email } from "postal-mime";
import { cleanLine } from "./clean-text.ts";
import { decodeText } from "./decode-text.ts";
import { createDocumentBuilder, type DocumentBuilder } from "./document-builder.ts";
import { writeHtml } from "./html-blocks.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import { readBytes } from "./read-text.ts";
import type { ReadContext } from "./reader.ts";

const MAX_NESTING = 50;
const MAX_MESSAGES = 20_000;

/** Mail: headers people read, the body, and attachments: text ones in full, the others by name. */
export async function readEmail(context: ReadContext): Promise<ParsedDocument> {
  const bytes = readBytes(context);
  const messages = context.type.mime === "application/mbox" ? splitMbox(bytes) : [bytes];
  const builder = createDocumentBuilder(context.limits);
  let title: string | null = null;
  for (const message of messages) {
    const email = await PostalMime.parse(message, {
      maxNestingDepth: MAX_NESTING,
      attachmentEncoding: "arraybuffer",
    });
    if (email.headers.length === 0 || !(email.from || email.date || email.subject || email.to))
      throw new ParseFailure("damaged", "The file is not an e-mail: it has no sender, date or subject.");
    writeMessage(builder, email);
    if (messages.length === 1) title = cleanLine(email.subject ?? "") || null;
  }
  return builder.finish({ title });
}

/** Messages of a mailbox begin with a line "From ", after an empty line. */
function splitMbox(bytes: Buffer): Buffer[] {
  const starts: number[] = bytes.subarray(0, 5).toString("latin1") === "From " ? [0] : [];
  for (let at = bytes.indexOf("\nFrom "); at >= 0; at = bytes.indexOf("\nFrom ", at + 1)) starts.push(at + 1);
  if (starts.length === 0)
    throw new ParseFailure("damaged", "The file is not a mailbox: no message begins in it.");
  if (starts.length > MAX_MESSAGES)
    throw new ParseFailure(
      "too_many_pages",
      `The mailbox holds more than ${MAX_MESSAGES} messages. Split it into parts.`,
    );
  return starts.map((start, index) =>
    bytes.subarray(bytes.indexOf("\n", start) + 1, starts[index + 1] ?? bytes.length),
  );
}

function writeMessage(builder: DocumentBuilder, email: Email): void {
  builder.heading(1, email.subject || "(no subject)");
  const lines = [
    ["From", listAddresses(email.from ? [email.from] : [])],
    ["To", listAddresses(email.to ?? [])],
    ["Cc", listAddresses(email.cc ?? [])],
    ["Date", email.date ?? ""],
  ];
  builder.paragraph(
    lines
      .filter(([, value]) => value)
      .map(([name, value]) => `${name}: ${value}`)
      .join("\n"),
  );
  if (email.html) writeHtml(email.html, builder, { headingOffset: 1 });
  else if (email.text) builder.paragraph(email.text);
  for (const attachment of email.attachments) writeAttachment(builder, attachment);
}

function listAddresses(addresses: readonly Address[]): string {
  return addresses
    .map((address) => [address.name, address.address ? `<${address.address}>` : ""].filter(Boolean).join(" "))
    .join(", ");
}

function writeAttachment(builder: DocumentBuilder, attachment: Attachment): void {
  // Pictures inside the body are decoration.
  if (attachment.disposition === "inline" && attachment.mimeType.startsWith("image/")) return;
  const name = cleanLine(attachment.filename ?? "") || attachment.mimeType;
  const text = isReadable(attachment) ? decodeText(asBytes(attachment.content)) : null;
  builder.heading(2, `Attachment: ${name}`);
  if (text === null) {
    builder.paragraph(`(${attachment.mimeType}, not read; send it as a document of its own)`);
    builder.warn(`The attachment "${name}" was not read. Send it as a document of its own.`);
  } else if (attachment.mimeType === "text/html") writeHtml(text, builder, { headingOffset: 2 });
  else builder.paragraph(text);
}

function isReadable(attachment: Attachment): boolean {
  return (
    /^text\/|^application\/(?:json|xml|yaml)$/.test(attachment.mimeType) ||
    /\.(?:txt|md|csv|json|log)$/i.test(attachment.filename ?? "")
  );
}

function asBytes(content: Attachment["content"]): Uint8Array {
  return typeof content === "string" ? Buffer.from(content) : new Uint8Array(content);
}

import { Problem } from "../http/problem.ts";
import type { ChatImage } from "../ports/chat-model.ts";
import type { Attachment } from "./chat.schemas.ts";
import type { StoredAttachment } from "./turn.ts";

const IMAGE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const IMAGE_BYTES_MAX = 5 * 1024 * 1024;
const DATA_URL = /^data:([\w/+.-]+);base64,([A-Za-z0-9+/]+={0,2})$/;

/**
 * The pictures of a message, for the model, and what is kept of them.
 *
 * @throws Problem `invalid_request` for anything but a picture that models take
 */
export function readAttachments(attachments: readonly Attachment[]): {
  images: ChatImage[];
  attachments: StoredAttachment[];
} {
  const read = attachments.map((attachment, index) => readOne(attachment, `body.attachments.${index}`));
  return { images: read.map(({ image }) => image), attachments: read.map(({ stored }) => stored) };
}

function readOne({ name, mime, contentString }: Attachment, path: string) {
  if (!IMAGE_TYPES.includes(mime)) {
    throw wrong(
      `${path}.mime`,
      "is no picture that models take (PNG, JPEG, GIF, WebP); upload documents to the workspace instead",
    );
  }
  const [, type, dataBase64 = ""] = DATA_URL.exec(contentString) ?? [];
  if (type !== mime) throw wrong(`${path}.contentString`, `is not a data URL of ${mime} in base64`);
  const sizeBytes = Math.floor((dataBase64.replace(/=+$/, "").length * 3) / 4);
  if (sizeBytes > IMAGE_BYTES_MAX) throw wrong(`${path}.contentString`, "is a picture of more than 5 MB");
  return { image: { mime, dataBase64 }, stored: { name, mime, size_bytes: sizeBytes } };
}

function wrong(path: string, message: string): Problem {
  return new Problem("invalid_request", `${path}: ${message}.`, { details: [{ path, message }] });
}

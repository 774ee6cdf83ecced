import type { StoredAttachment } from "../assistant/turn.ts";
import type { App } from "../context.ts";
import { resolveChatModels } from "../models/resolve.ts";
import type { ChatImage } from "../ports/chat-model.ts";
import type { Messenger } from "../ports/messenger.ts";
import type { Transcriber } from "../ports/transcriber.ts";
import type { Said, Scene } from "./answer-scene.ts";
import type { InboundMedia } from "./inbound.ts";
import { fetchMedia } from "./media.ts";

/** What has to be said beside the answer, or in its place. */
export type Note = "cannotLook" | "cannotListen" | "unsupported";

/** All that a person said at once, as one question. */
export interface Question {
  text: string;
  images: ChatImage[];
  attachments: StoredAttachment[];
  notes: Set<Note>;
  /** There is something in it that can be answered. */
  isAnswerable: boolean;
}

/** What models take, and Meta's own limits. */
const IMAGE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const IMAGE_BYTES_MAX = 5 * 1024 * 1024;
const VOICE_BYTES_MAX = 16 * 1024 * 1024;
const VOICE_TIMEOUT_MS = 60_000;
const VOICE_EXTENSIONS: Readonly<Record<string, string>> = {
  "audio/ogg": "ogg",
  "audio/opus": "ogg",
  "audio/mpeg": "mp3",
  "audio/mp4": "m4a",
  "audio/aac": "aac",
  "audio/amr": "amr",
  "audio/wav": "wav",
};

/** As it is stored when nothing is answered: nothing is fetched, nothing is listened to. */
export function unansweredText(said: readonly Said[]): string {
  return said.map(({ content }) => textOf(content)).join("\n");
}

/** Reads, looks and listens, as far as this installation can. */
export async function understand(
  app: App,
  messenger: Messenger,
  scene: Scene,
  signal: AbortSignal,
): Promise<Question> {
  const texts: string[] = [];
  const question: Question = { text: "", images: [], attachments: [], notes: new Set(), isAnswerable: false };
  for (const { content } of scene.said) {
    let text = textOf(content);
    if (content.kind === "unsupported") question.notes.add("unsupported");
    else if (content.kind === "voice") {
      const heard = await listen(app, messenger, scene, content.media, signal);
      if (heard === null) question.notes.add("cannotListen");
      else [text, question.isAnswerable] = [heard, true];
    } else if (content.kind === "media") {
      if (content.caption !== null) question.isAnswerable = true;
      const isSeen =
        content.isPicture && (await look(app, messenger, scene, content.media, question, signal));
      if (isSeen) question.isAnswerable = true;
      else question.notes.add("cannotLook");
    } else question.isAnswerable = true;
    texts.push(text);
  }
  return { ...question, text: texts.join("\n") };
}

/** For a model that takes no pictures after all. */
export function withoutImages(question: Question, said: readonly Said[]): Question {
  const isAnswerable = said.some(
    ({ content }) =>
      content.kind === "text" ||
      (content.kind === "media" && content.caption !== null) ||
      (content.kind === "voice" && !question.notes.has("cannotListen")),
  );
  return { ...question, images: [], notes: new Set([...question.notes, "cannotLook"]), isAnswerable };
}

function textOf(content: Said["content"]): string {
  switch (content.kind) {
    case "text":
      return content.text;
    case "media":
      return content.caption ?? content.label;
    case "voice":
      return "[audio]";
    case "unsupported":
      return "[unsupported]";
  }
}

/** Puts the picture beside the question. @returns whether that could be done */
async function look(
  app: App,
  messenger: Messenger,
  { caller, workspace, connection }: Scene,
  media: InboundMedia,
  question: Question,
  signal: AbortSignal,
): Promise<boolean> {
  const { organization_id: organizationId, chat_provider: provider, chat_model: model } = workspace;
  const models = await resolveChatModels(app, caller, { organizationId, provider, model });
  if (models.length === 0 || !IMAGE_TYPES.includes(media.mimeType)) return false;
  const bytes = await fetchMedia(app, messenger, connection, media, IMAGE_BYTES_MAX, signal);
  if (bytes === null) return false;
  question.images.push({ mime: media.mimeType, dataBase64: Buffer.from(bytes).toString("base64") });
  const name = media.fileName ?? `picture.${media.mimeType.split("/")[1]}`;
  question.attachments.push({ name, mime: media.mimeType, size_bytes: bytes.byteLength });
  return true;
}

/** What a voice note says; `null` when nobody can tell. */
async function listen(
  app: App,
  messenger: Messenger,
  { connection }: Scene,
  media: InboundMedia,
  signal: AbortSignal,
): Promise<string | null> {
  const { transcriber } = app;
  if (transcriber === null) return null;
  const maxBytes = Math.min(VOICE_BYTES_MAX, transcriber.limits.maxBytes);
  const bytes = await fetchMedia(app, messenger, connection, media, maxBytes, signal);
  if (bytes === null) return null;
  try {
    return await transcribe(transcriber, media, bytes, signal);
  } catch (error) {
    signal.throwIfAborted();
    app.log.warn({ error, connectionId: connection.id }, "a voice note could not be written down");
    return null;
  }
}

async function transcribe(
  transcriber: Transcriber,
  { mimeType }: InboundMedia,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<string | null> {
  const { text } = await transcriber.transcribe(
    {
      body: pieces(bytes),
      sizeBytes: bytes.byteLength,
      fileName: `voice.${VOICE_EXTENSIONS[mimeType] ?? "ogg"}`,
      contentType: mimeType,
    },
    { signal: AbortSignal.any([signal, AbortSignal.timeout(VOICE_TIMEOUT_MS)]) },
  );
  return text.trim() || null;
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

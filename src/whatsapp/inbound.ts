import { z } from "zod";
import { textOfMessage } from "./inbound-text.ts";

/** Who wrote, as far as Meta says: since people may hide their number, one of the two may be missing. */
export interface InboundPerson {
  /** Meta's id of the person for this business. */
  bsuid: string | null;
  /** Digits. */
  phone: string | null;
  name: string | null;
}

/** A file of a message. The link is good for five minutes, the id for seven days. */
export interface InboundMedia {
  id: string;
  url: string | null;
  sha256: string | null;
  mimeType: string;
  fileName: string | null;
}

/** What a message asks of us. */
export type InboundContent =
  | { kind: "text"; text: string }
  /** A picture, video, sticker or file; `label` stands for it in the history. */
  | { kind: "media"; media: InboundMedia; isPicture: boolean; caption: string | null; label: string }
  | { kind: "voice"; media: InboundMedia }
  /** WhatsApp could not hand it on. */
  | { kind: "unsupported" }
  | { kind: "edit"; wamid: string; text: string | null }
  | { kind: "revoke"; wamid: string }
  /** The person has another number from now on. */
  | { kind: "moved"; phone: string }
  /** Reactions, groups, and types that are not known here: stored as they came, and nothing else. */
  | { kind: "nothing" };

export interface InboundMessage {
  person: InboundPerson;
  wamid: string;
  /** When it was sent. */
  at: Date;
  content: InboundContent;
  /** What a button says that is not shown. */
  payload: string | null;
}

const Text = z.string().nullish();
const Media = z.looseObject({
  id: z.string(),
  mime_type: Text,
  sha256: Text,
  url: Text,
  caption: Text,
  filename: Text,
  animated: z.boolean().nullish(),
});

const Message = z.looseObject({
  id: z.string(),
  from: Text,
  from_user_id: Text,
  to: Text,
  to_user_id: Text,
  recipient_user_id: Text,
  timestamp: z.coerce.number().optional(),
  type: z.string(),
  group_id: Text,
  image: Media.optional(),
  video: Media.optional(),
  sticker: Media.optional(),
  document: Media.optional(),
  audio: Media.optional(),
  button: z.looseObject({ payload: Text, text: Text }).optional(),
  edit: z.looseObject({ original_message_id: z.string(), message: z.unknown() }).optional(),
  revoke: z.looseObject({ original_message_id: z.string() }).optional(),
  system: z.looseObject({ type: Text, wa_id: Text, new_wa_id: Text }).optional(),
});
export type MetaMessage = z.output<typeof Message>;

const Raw = z.looseObject({
  message: Message,
  contact: z
    .looseObject({ wa_id: Text, user_id: Text, profile: z.looseObject({ name: Text }).nullish() })
    .nullish(),
});

/** What a stored row holds; `undefined` when it is nothing that Meta documents. */
export function readInbound(raw: unknown, receivedAt: Date): InboundMessage | undefined {
  const parsed = Raw.safeParse(raw);
  if (!parsed.success) return undefined;
  const { message, contact } = parsed.data;
  return {
    person: {
      bsuid: message.from_user_id ?? contact?.user_id ?? null,
      phone: digitsOf(message.from ?? contact?.wa_id),
      name: contact?.profile?.name?.trim() || null,
    },
    wamid: message.id,
    at: timeOf(message, receivedAt),
    content: contentOf(message),
    payload: message.button?.payload ?? null,
  };
}

/** The same for what a human of the business wrote on the phone: the person is who it went to. */
export function readEcho(raw: unknown, receivedAt: Date): InboundMessage | undefined {
  const parsed = Raw.safeParse(raw);
  if (!parsed.success) return undefined;
  const { message } = parsed.data;
  return {
    person: {
      bsuid: message.to_user_id ?? message.recipient_user_id ?? null,
      phone: digitsOf(message.to),
      name: null,
    },
    wamid: message.id,
    at: timeOf(message, receivedAt),
    content: contentOf(message),
    payload: null,
  };
}

/** A message from the future is one from a clock that is wrong. */
function timeOf({ timestamp }: MetaMessage, receivedAt: Date): Date {
  if (timestamp === undefined || !Number.isFinite(timestamp)) return receivedAt;
  return new Date(Math.min(timestamp * 1000, receivedAt.getTime()));
}

function digitsOf(phone: string | null | undefined): string | null {
  const digits = phone?.replace(/\D/g, "") ?? "";
  return /^[1-9]\d{6,14}$/.test(digits) ? digits : null;
}

function contentOf(message: MetaMessage): InboundContent {
  if (message.group_id !== undefined && message.group_id !== null) return { kind: "nothing" };
  switch (message.type) {
    case "image":
    case "video":
    case "sticker":
    case "document":
      return mediaOf(message, message[message.type], message.type);
    case "audio":
      return message.audio === undefined
        ? { kind: "unsupported" }
        : { kind: "voice", media: toMedia(message.audio, "audio/ogg") };
    case "unsupported":
      return { kind: "unsupported" };
    case "edit":
      return editOf(message);
    case "revoke":
      return message.revoke === undefined
        ? { kind: "nothing" }
        : { kind: "revoke", wamid: message.revoke.original_message_id };
    case "system":
      return movedOf(message);
    case "reaction":
      return { kind: "nothing" };
    default: {
      const text = textOfMessage(message);
      return text === null ? { kind: "nothing" } : { kind: "text", text };
    }
  }
}

type MetaMedia = z.output<typeof Media>;

function mediaOf(message: MetaMessage, media: MetaMedia | undefined, type: string): InboundContent {
  if (media === undefined) return { kind: "unsupported" };
  const caption = media.caption?.trim() || null;
  const isPicture = type === "image" || (type === "sticker" && media.animated !== true);
  const label = media.filename ? `[${type}: ${media.filename}]` : `[${message.type}]`;
  return {
    kind: "media",
    media: toMedia(media, "application/octet-stream"),
    isPicture,
    caption,
    label,
  };
}

function toMedia({ id, url, sha256, mime_type, filename }: MetaMedia, usual: string): InboundMedia {
  const mimeType = mime_type?.split(";")[0]?.trim().toLowerCase() || usual;
  return { id, url: url ?? null, sha256: sha256 ?? null, mimeType, fileName: filename ?? null };
}

function editOf({ edit }: MetaMessage): InboundContent {
  if (edit === undefined) return { kind: "nothing" };
  const edited = Message.safeParse({ id: "", type: "", ...Object(edit.message) });
  const media = edited.data?.image ?? edited.data?.video ?? edited.data?.document;
  const text = edited.data === undefined ? null : (textOfMessage(edited.data) ?? media?.caption ?? null);
  return { kind: "edit", wamid: edit.original_message_id, text };
}

function movedOf({ system }: MetaMessage): InboundContent {
  const phone = digitsOf(system?.new_wa_id ?? system?.wa_id);
  return system?.type === "user_changed_number" && phone !== null
    ? { kind: "moved", phone }
    : { kind: "nothing" };
}

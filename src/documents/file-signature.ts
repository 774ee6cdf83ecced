import { detectEncoding } from "./parse/decode-text.ts";

/** What the first bytes of a file look like. `zip` is a zip whose kind the first bytes do not tell. */
export type SniffedContent =
  | "pdf"
  | "zip"
  | "zip-word"
  | "zip-excel"
  | "zip-powerpoint"
  | "zip-odt"
  | "zip-ods"
  | "zip-odp"
  | "zip-epub"
  | "ole"
  | "rtf"
  | "png"
  | "jpeg"
  | "webp"
  | "bmp"
  | "image"
  | "audio"
  | "archive"
  | "program"
  | "xml"
  | "text"
  | "binary";

/** Says what content begins with these bytes; never throws. */
export function sniffContent(head: Uint8Array): SniffedContent {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  // Signatures are matched in hex, where they can be read and compared with the formats' descriptions.
  const hex = bytes.toString("hex", 0, 64);
  if (/^504b0(?:304|506)/.test(hex)) return sniffZip(bytes.toString("latin1"));
  for (const [content, signature] of SIGNATURES) if (signature.test(hex)) return content;
  const latin = bytes.toString("latin1");
  if (/^\s*\{\\rtf/.test(latin)) return "rtf";
  // A PDF may begin with up to a kilobyte of other things.
  if (latin.slice(0, 1024).includes("%PDF-")) return "pdf";
  if (detectEncoding(head) === null) return "binary";
  return /^(?:\xef\xbb\xbf)?\s*<(?:\?xml|!doctype|html|svg)/i.test(latin) ? "xml" : "text";
}

/** Two hex digits a byte, `..` for any byte. */
const SIGNATURES: readonly [SniffedContent, RegExp][] = [
  ["ole", /^d0cf11e0a1b11ae1/],
  ["png", /^89504e470d0a1a0a/],
  ["jpeg", /^ffd8ff/],
  ["webp", /^52494646.{8}57454250/],
  ["bmp", /^424d.{8}00000000.{8}(?:0c|28|34|38|40|6c|7c)000000/],
  // GIF, TIFF in both byte orders, ICO, HEIC and AVIF.
  ["image", /^(?:47494638|49492a00|4d4d002a|00000100|.{8}66747970(?:68656963|68656978|6d696631|61766966))/],
  // MP3 with tags, WAV, Ogg, FLAC, Matroska, MP4, MPEG.
  ["audio", /^(?:494433|52494646.{8}57415645|4f676753|664c6143|1a45dfa3|.{8}66747970|000001b[3a])/],
  // MP3 without tags: the sync bits of a frame, and a bit rate that exists.
  ["audio", /^ff(?:e[23]|f[23ab])[0-9a-e]/],
  ["archive", /^(?:1f8b|377abcaf|52617221|425a68|fd377a58|28b52ffd)/],
  ["program", /^(?:7f454c46|4d5a[0-9a-f]{4}0000|feedfa|cffaedfe|cafebabe)/],
];

const LOCAL_HEADER = "PK\u0003\u0004";
const LOCAL_HEADER_BYTES = 30;

/** OpenDocument and EPUB say what they are in the first entry; Office files by the folder of an early entry. */
function sniffZip(latin: string): SniffedContent {
  const first = latin.slice(LOCAL_HEADER_BYTES, LOCAL_HEADER_BYTES + 80);
  if (first.startsWith("mimetypeapplication/epub+zip")) return "zip-epub";
  const kind = /^mimetypeapplication\/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation)/.exec(
    first,
  )?.[1];
  if (kind === "text") return "zip-odt";
  if (kind === "spreadsheet") return "zip-ods";
  if (kind === "presentation") return "zip-odp";
  for (const entry of latin.split(LOCAL_HEADER).slice(1)) {
    const name = entry.slice(LOCAL_HEADER_BYTES - LOCAL_HEADER.length);
    if (name.startsWith("word/")) return "zip-word";
    if (name.startsWith("xl/")) return "zip-excel";
    if (name.startsWith("ppt/")) return "zip-powerpoint";
  }
  return "zip";
}

import { inflateRawSync } from "node:zlib";
import { ParseFailure } from "./parse-failure.ts";

/** A zip whose directory has been read and judged, and whose entries are unpacked one at a time, on demand. */
export interface ZipContainer {
  names(): string[];
  has(name: string): boolean;
  /** The unpacked bytes; null when there is no such entry. @throws ParseFailure `damaged`, `too_much_memory` */
  read(name: string): Buffer | null;
  /** The entry as UTF-8 text; null when there is no such entry. */
  readText(name: string): string | null;
  /** Unpacks every entry once and keeps none, so that a library can be trusted with the file afterwards. */
  verify(): void;
}

export interface ZipLimits {
  maxUnpackedBytes: number;
  maxEntries: number;
}

interface Entry {
  name: string;
  method: number;
  packedBytes: number;
  unpackedBytes: number;
  headerOffset: number;
}

/**
 * Opens a zip. Sizes and counts are judged before anything is unpacked, and unpacking stops at the size the
 * directory promised, so a lying one cannot grow.
 *
 * @throws ParseFailure `damaged`, `encrypted`, `too_much_memory`
 */
export function openZip(bytes: Buffer, limits: ZipLimits): ZipContainer {
  const entries = readDirectory(bytes, limits);
  const unpacked = [...entries.values()].reduce((sum, entry) => sum + entry.unpackedBytes, 0);
  if (unpacked > limits.maxUnpackedBytes) throw tooLarge(limits);

  function read(name: string): Buffer | null {
    const entry = entries.get(name);
    return entry ? unpack(bytes, entry) : null;
  }

  return {
    names: () => [...entries.keys()],
    has: (name) => entries.has(name),
    read,
    readText: (name) =>
      read(name)
        ?.toString("utf8")
        .replace(/^\ufeff/, "") ?? null,
    verify() {
      for (const entry of entries.values()) unpack(bytes, entry);
    },
  };
}

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;

function readDirectory(bytes: Buffer, limits: ZipLimits): Map<string, Entry> {
  const end = findEnd(bytes);
  const count = bytes.readUInt16LE(end + 10);
  let offset = bytes.readUInt32LE(end + 16);
  if (count > limits.maxEntries) throw tooLarge(limits);
  const entries = new Map<string, Entry>();
  for (let index = 0; index < count; index += 1) {
    if (offset + 46 > bytes.length || bytes.readUInt32LE(offset) !== ENTRY_SIGNATURE)
      throw broken("its directory is cut");
    const nameBytes = bytes.readUInt16LE(offset + 28);
    const name = bytes.toString("utf8", offset + 46, offset + 46 + nameBytes);
    if ((bytes.readUInt16LE(offset + 8) & 1) === 1)
      throw new ParseFailure(
        "encrypted",
        "The file is protected by a password. Remove the password and send it again.",
      );
    entries.set(name, {
      name,
      method: bytes.readUInt16LE(offset + 10),
      packedBytes: bytes.readUInt32LE(offset + 20),
      unpackedBytes: bytes.readUInt32LE(offset + 24),
      headerOffset: bytes.readUInt32LE(offset + 42),
    });
    offset += 46 + nameBytes + bytes.readUInt16LE(offset + 30) + bytes.readUInt16LE(offset + 32);
  }
  return entries;
}

/** The end record is the last thing in the file but for a comment, so it is looked for from behind. */
function findEnd(bytes: Buffer): number {
  const lowest = Math.max(0, bytes.length - END_BYTES - MAX_COMMENT_BYTES);
  for (let offset = bytes.length - END_BYTES; offset >= lowest; offset -= 1)
    if (bytes.readUInt32LE(offset) === END_SIGNATURE) return offset;
  throw broken("its directory is missing, so it was probably cut off on the way");
}

function unpack(bytes: Buffer, entry: Entry): Buffer {
  const { headerOffset: at, packedBytes, unpackedBytes } = entry;
  if (at + 30 > bytes.length || bytes.readUInt32LE(at) !== LOCAL_SIGNATURE)
    throw broken(`${entry.name} is missing`);
  const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
  const packed = bytes.subarray(start, start + packedBytes);
  if (packed.length < packedBytes) throw broken(`${entry.name} is cut off`);
  if (entry.method === 0) return packed;
  if (entry.method !== 8) throw broken(`${entry.name} is packed in a way nobody here can unpack`);
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, unpackedBytes) });
  } catch (error) {
    throw broken(`${entry.name} does not unpack to what it promises`, String(error));
  }
}

function tooLarge(limits: ZipLimits): ParseFailure {
  const megabytes = Math.round(limits.maxUnpackedBytes / 1024 / 1024);
  return new ParseFailure(
    "too_much_memory",
    `The file unpacks to more than ${megabytes} MB or ${limits.maxEntries} parts. Split it, or remove large pictures.`,
  );
}

function broken(what: string, detail: string | null = null): ParseFailure {
  return new ParseFailure(
    "damaged",
    `The file is damaged: ${what}. Export it again and send the new file.`,
    detail,
  );
}

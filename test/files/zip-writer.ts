import { crc32, deflateRawSync } from "node:zlib";

export interface ZipEntry {
  name: string;
  content: string | Uint8Array;
  /** Not packed; the first entry of OpenDocument and EPUB must be so. */
  stored?: boolean;
  /** What the directory claims, when it lies. */
  claimedBytes?: number;
  /** Sets the flag of a password. */
  encrypted?: boolean;
}

/** Makes a zip, honest or not. */
export function makeZip(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const content = Buffer.from(entry.content);
    const packed = entry.stored ? content : deflateRawSync(content);
    const facts = describe(entry, content, packed);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), facts, Buffer.from(entry.name), packed]);
    const position = Buffer.alloc(14);
    position.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from("PK\u0001\u0002\u0014\0"), facts, position, Buffer.from(entry.name)]),
    );
    locals.push(local);
    offset += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, listed, end]);
}

/** The 26 bytes an entry's header and its line in the directory share. */
function describe(entry: ZipEntry, content: Buffer, packed: Buffer): Buffer {
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(20, 0);
  facts.writeUInt16LE(entry.encrypted ? 1 : 0, 2);
  facts.writeUInt16LE(entry.stored ? 0 : 8, 4);
  facts.writeUInt32LE(crc32(content), 10);
  facts.writeUInt32LE(packed.length, 14);
  facts.writeUInt32LE(entry.claimedBytes ?? content.length, 18);
  facts.writeUInt16LE(Buffer.byteLength(entry.name), 22);
  return facts;
}

import { crc32, deflateSync } from "node:zlib";

/** A grey PNG, one byte a pixel; `claimed` writes another size into the header. */
export function makePng(
  image: { width: number; height: number; pixels: Uint8Array },
  claimed: { width: number; height: number } = image,
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(claimed.width, 0);
  header.writeUInt32BE(claimed.height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const rows: Uint8Array[] = [];
  for (let row = 0; row < image.height; row += 1)
    rows.push(Uint8Array.of(0), image.pixels.subarray(row * image.width, (row + 1) * image.width));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    part("IHDR", header),
    part("IDAT", deflateSync(Buffer.concat(rows))),
    part("IEND", Buffer.alloc(0)),
  ]);
}

function part(name: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name), content]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(content.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

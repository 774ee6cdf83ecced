import { deflateSync } from "node:zlib";

interface PdfPageContent {
  /** Lines of Latin text, drawn from the top. */
  lines?: readonly string[];
  /** Drawn large above the lines. */
  heading?: string;
  /** A grey picture that fills the page: one byte a pixel. */
  image?: { width: number; height: number; pixels: Uint8Array };
  /** The drawing operators themselves, instead of lines. */
  operators?: Buffer;
}

interface PdfContent {
  pages: readonly PdfPageContent[];
  title?: string;
  bookmarks?: readonly { title: string; page: number }[];
  /** Demands a password nobody has. */
  encrypted?: boolean;
  /** Instead of the number of pages there are. */
  claimedPages?: number;
}

/** Makes a small PDF: one font, one column, all the parts a reader looks for. */
export function makePdf(content: PdfContent): Buffer {
  const objects: (string | Buffer)[] = [];
  const add = (body: string | Buffer) => objects.push(body);
  const { pages, bookmarks = [] } = content;
  const firstPage = 4;
  const pageNumbers = pages.map((_, index) => firstPage + index * 3);
  const firstBookmark = firstPage + pages.length * 3 + 1;
  add(
    `<< /Type /Catalog /Pages 2 0 R ${bookmarks.length > 0 ? `/Outlines ${firstBookmark - 1} 0 R` : ""} >>`,
  );
  const kids = pageNumbers.map((number) => `${number} 0 R`).join(" ");
  add(`<< /Type /Pages /Kids [${kids}] /Count ${content.claimedPages ?? pages.length} >>`);
  add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
  pages.forEach((page, index) => {
    const number = firstPage + index * 3;
    add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${number + 1} 0 R /Resources << /Font << /F1 3 0 R >> /XObject << /Im1 ${number + 2} 0 R >> >> >>`,
    );
    add(stream("", page.operators ?? Buffer.from(draw(page), "latin1")));
    const { width, height, pixels } = page.image ?? { width: 1, height: 1, pixels: Uint8Array.of(255) };
    add(
      stream(
        `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceGray /BitsPerComponent 8`,
        pixels,
      ),
    );
  });
  const last = firstBookmark + bookmarks.length - 1;
  add(`<< /Type /Outlines /First ${firstBookmark} 0 R /Last ${last} 0 R /Count ${bookmarks.length} >>`);
  bookmarks.forEach(({ title, page }, index) => {
    const next = index + 1 < bookmarks.length ? `/Next ${firstBookmark + index + 1} 0 R` : "";
    add(
      `<< /Title (${escapeText(title)}) /Parent ${firstBookmark - 1} 0 R /Dest [${pageNumbers[page - 1]} 0 R /Fit] ${next} >>`,
    );
  });
  const info = add(`<< /Title (${escapeText(content.title ?? "")}) >>`);
  const lock = content.encrypted
    ? add(`<< /Filter /Standard /V 1 /R 2 /P -4 /O <${"4f".repeat(32)}> /U <${"55".repeat(32)}> >>`)
    : 0;
  return assemble(
    objects,
    `/Root 1 0 R /Info ${info} 0 R ${lock ? `/Encrypt ${lock} 0 R /ID [<00><00>]` : ""}`,
  );
}

function draw(page: PdfPageContent): string {
  if (page.image) return "q 595 0 0 842 0 0 cm /Im1 Do Q";
  const lines = (page.lines ?? []).map((line) => `(${escapeText(line)}) Tj T*`);
  const heading = page.heading ? `BT /F1 20 Tf 60 805 Td (${escapeText(page.heading)}) Tj ET ` : "";
  return `${heading}BT /F1 11 Tf 14 TL 60 780 Td ${lines.join("\n")} ET`;
}

function stream(dictionary: string, content: Uint8Array): Buffer {
  const packed = deflateSync(content, { level: 9 });
  return Buffer.concat([
    Buffer.from(`<< ${dictionary} /Filter /FlateDecode /Length ${packed.length} >>\nstream\n`),
    packed,
    Buffer.from("\nendstream"),
  ]);
}

function escapeText(text: string): string {
  return text.replace(/[\\()]/g, "\\$&");
}

function assemble(objects: readonly (string | Buffer)[], trailer: string): Buffer {
  const parts: Buffer[] = [Buffer.from("%PDF-1.4\n")];
  const offsets: number[] = [];
  let length = parts[0]?.length ?? 0;
  objects.forEach((body, index) => {
    const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
    const object = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), bytes, Buffer.from("\nendobj\n")]);
    offsets.push(length);
    parts.push(object);
    length += object.length;
  });
  const entries = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries}`;
  parts.push(
    Buffer.from(
      `${table}trailer\n<< /Size ${objects.length + 1} ${trailer} >>\nstartxref\n${length}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { init, type WrappedPdfiumModule } from "@embedpdf/pdfium";

/** Pages one pixel per point are 72 dpi; text is recognised well from 150. */
const POINTS_PER_INCH = 72;
const MAX_BITMAP_SIDE = 3_500;

/** A grey picture, one byte per pixel, rows without padding. */
export interface GreyImage {
  width: number;
  height: number;
  pixels: Uint8Array;
}

export interface PdfPage {
  text: string;
  /** The height of the letters of each line, in points, by the line as it stands in `text`. */
  measureLines(): Map<string, number>;
  /** Draws the page; called only for pages without text. */
  render(dpi: number): GreyImage;
  close(): void;
}

export interface Bookmark {
  title: string;
  level: number;
  /** From 0; -1 when the bookmark points nowhere. */
  pageIndex: number;
}

export interface PdfFile {
  pageCount: number;
  title: string | null;
  bookmarks(): Bookmark[];
  /** Null when the page is too damaged to be opened. */
  openPage(index: number): PdfPage | null;
  close(): void;
}

/** The PDF could not be opened; the reason is pdfium's, by its documented numbers. */
export class PdfOpenError extends Error {
  readonly reason: "password" | "damaged";
  constructor(reason: "password" | "damaged", code: number) {
    super(`pdfium error ${code}`);
    this.reason = reason;
  }
}

/** @throws PdfOpenError */
export async function openPdf(path: string): Promise<PdfFile> {
  const pdfium = await loadPdfium();
  const { pointer, size } = loadFile(pdfium, path);
  const handle = pdfium.FPDF_LoadMemDocument(pointer, size, "");
  if (handle === 0) {
    const code = pdfium.FPDF_GetLastError();
    pdfium.pdfium.wasmExports.free(pointer);
    throw new PdfOpenError(code === 4 || code === 5 ? "password" : "damaged", code);
  }
  return {
    pageCount: pdfium.FPDF_GetPageCount(handle),
    title: readTitle(pdfium, handle),
    bookmarks: () => readBookmarks(pdfium, handle),
    openPage: (index) => openPage(pdfium, handle, index),
    close() {
      pdfium.FPDF_CloseDocument(handle);
      pdfium.pdfium.wasmExports.free(pointer);
    },
  };
}

let loading: Promise<WrappedPdfiumModule> | undefined;

/** One instance a process: it takes 50 ms and 20 MB to start. */
function loadPdfium(): Promise<WrappedPdfiumModule> {
  loading ??= start();
  return loading;
}

async function start(): Promise<WrappedPdfiumModule> {
  const file = readFileSync(createRequire(import.meta.url).resolve("@embedpdf/pdfium/pdfium.wasm"));
  const wasmBinary = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
  const pdfium = await init({ wasmBinary });
  pdfium.PDFiumExt_Init();
  return pdfium;
}

/** Reads the file straight into pdfium's memory, so that a large one is not held twice. */
function loadFile({ pdfium }: WrappedPdfiumModule, path: string): { pointer: number; size: number } {
  const descriptor = openSync(path, "r");
  try {
    const { size } = fstatSync(descriptor);
    const pointer = pdfium.wasmExports.malloc(size);
    if (pointer === 0) throw new Error("out of memory");
    let done = 0;
    while (done < size) {
      const count = readSync(descriptor, pdfium.HEAPU8, pointer + done, size - done, done);
      if (count === 0) break;
      done += count;
    }
    return { pointer, size: done };
  } finally {
    closeSync(descriptor);
  }
}

function openPage(pdfium: WrappedPdfiumModule, handle: number, index: number): PdfPage | null {
  const page = pdfium.FPDF_LoadPage(handle, index);
  if (page === 0) return null;
  const textPage = pdfium.FPDFText_LoadPage(page);
  const text = textPage === 0 ? "" : readPageText(pdfium, textPage);
  return {
    text,
    measureLines: () => measureLines(pdfium, textPage, text),
    render: (dpi) => renderPage(pdfium, page, dpi),
    close() {
      if (textPage !== 0) pdfium.FPDFText_ClosePage(textPage);
      pdfium.FPDF_ClosePage(page);
    },
  };
}

/** Headings are short: longer lines need no measuring. */
const MAX_MEASURED_CHARS = 150;
const RECTANGLE_BYTES = 16;

/** Looks at the first letter of each line, by the box its font gives it, which is the same for all its letters. */
function measureLines(pdfium: WrappedPdfiumModule, textPage: number, text: string): Map<string, number> {
  const heights = new Map<string, number>();
  const pointer = pdfium.pdfium.wasmExports.malloc(RECTANGLE_BYTES);
  for (const { 0: line, index } of text.matchAll(/[^\r\n]+/g)) {
    if (line.length > MAX_MEASURED_CHARS) continue;
    const at = pdfium.FPDFText_GetCharIndexFromTextIndex(textPage, index);
    if (at < 0 || !pdfium.FPDFText_GetLooseCharBox(textPage, at, pointer)) continue;
    // Left, top, right, bottom.
    const [, top = 0, , bottom = 0] = new Float32Array(pdfium.pdfium.HEAPU8.buffer, pointer, 4);
    heights.set(line, Math.abs(top - bottom));
  }
  pdfium.pdfium.wasmExports.free(pointer);
  return heights;
}

function readPageText(pdfium: WrappedPdfiumModule, textPage: number): string {
  const chars = pdfium.FPDFText_CountChars(textPage);
  if (chars <= 0) return "";
  return readUtf16(
    pdfium,
    (chars + 1) * 2,
    (pointer) => pdfium.FPDFText_GetText(textPage, 0, chars, pointer) * 2,
  );
}

/** Lets `fill` write UTF-16 into a buffer; it answers the bytes written, the ending zero included. */
function readUtf16(
  { pdfium }: WrappedPdfiumModule,
  bytes: number,
  fill: (pointer: number) => number,
): string {
  const pointer = pdfium.wasmExports.malloc(bytes);
  if (pointer === 0) throw new Error("out of memory");
  const written = Math.min(bytes, fill(pointer));
  // The heap may have moved while it was being filled: look it up again.
  const heap = pdfium.HEAPU8;
  const text = Buffer.from(heap.buffer, heap.byteOffset + pointer, Math.max(0, written - 2)).toString(
    "utf16le",
  );
  pdfium.wasmExports.free(pointer);
  return text;
}

function readTitle(pdfium: WrappedPdfiumModule, handle: number): string | null {
  const bytes = pdfium.FPDF_GetMetaText(handle, "Title", 0, 0);
  if (bytes <= 2 || bytes > 4_000) return null;
  return readUtf16(pdfium, bytes, (pointer) => pdfium.FPDF_GetMetaText(handle, "Title", pointer, bytes));
}

/** Outlines may loop in a damaged file, so what was seen is remembered and the number is bounded. */
const MAX_BOOKMARKS = 10_000;

function readBookmarks(pdfium: WrappedPdfiumModule, handle: number): Bookmark[] {
  const found: Bookmark[] = [];
  const seen = new Set<number>();
  const stack = [{ node: pdfium.FPDFBookmark_GetFirstChild(handle, 0), level: 1 }];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { node, level } = top;
    if (node === 0 || seen.has(node) || seen.size >= MAX_BOOKMARKS) continue;
    seen.add(node);
    found.push({
      title: readBookmarkTitle(pdfium, node),
      level,
      pageIndex: readBookmarkPage(pdfium, handle, node),
    });
    stack.push({ node: pdfium.FPDFBookmark_GetNextSibling(handle, node), level });
    stack.push({ node: pdfium.FPDFBookmark_GetFirstChild(handle, node), level: level + 1 });
  }
  return found;
}

function readBookmarkTitle(pdfium: WrappedPdfiumModule, node: number): string {
  const bytes = Math.min(4_000, pdfium.FPDFBookmark_GetTitle(node, 0, 0));
  return bytes <= 2
    ? ""
    : readUtf16(pdfium, bytes, (pointer) => pdfium.FPDFBookmark_GetTitle(node, pointer, bytes));
}

function readBookmarkPage(pdfium: WrappedPdfiumModule, handle: number, node: number): number {
  const direct = pdfium.FPDFBookmark_GetDest(handle, node);
  if (direct !== 0) return pdfium.FPDFDest_GetDestPageIndex(handle, direct);
  const action = pdfium.FPDFBookmark_GetAction(node);
  const target = action === 0 ? 0 : pdfium.FPDFAction_GetDest(handle, action);
  return target === 0 ? -1 : pdfium.FPDFDest_GetDestPageIndex(handle, target);
}

/** pdfium's numbers: an 8-bit grey bitmap, drawn in grey, with annotations. */
const BITMAP_GREY = 1;
const RENDER_FLAGS = 0x01 | 0x08;

function renderPage(pdfium: WrappedPdfiumModule, page: number, dpi: number): GreyImage {
  const points = { width: pdfium.FPDF_GetPageWidthF(page), height: pdfium.FPDF_GetPageHeightF(page) };
  const scale = Math.min(dpi / POINTS_PER_INCH, MAX_BITMAP_SIDE / Math.max(points.width, points.height, 1));
  const width = Math.max(1, Math.round(points.width * scale));
  const height = Math.max(1, Math.round(points.height * scale));
  const bitmap = pdfium.FPDFBitmap_CreateEx(width, height, BITMAP_GREY, 0, 0);
  if (bitmap === 0) throw new Error("out of memory");
  pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xffffffff);
  pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, RENDER_FLAGS);
  const start = pdfium.FPDFBitmap_GetBuffer(bitmap);
  const stride = pdfium.FPDFBitmap_GetStride(bitmap);
  const pixels = new Uint8Array(width * height);
  for (let row = 0; row < height; row += 1) {
    const from = start + row * stride;
    pixels.set(pdfium.pdfium.HEAPU8.subarray(from, from + width), row * width);
  }
  pdfium.FPDFBitmap_Destroy(bitmap);
  return { width, height, pixels };
}

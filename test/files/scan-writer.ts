import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GreyImage, openPdf } from "../../src/documents/parse/pdfium.ts";
import { makePdf } from "./pdf-writer.ts";

/** A picture of a page with these lines, as a scanner would make it at 150 dpi. */
export async function makeScan(lines: readonly string[]): Promise<GreyImage> {
  const folder = await mkdtemp(join(tmpdir(), "scan-"));
  const path = join(folder, "page.pdf");
  await writeFile(path, makePdf({ pages: [{ lines }] }));
  const file = await openPdf(path);
  const page = file.openPage(0);
  if (!page) throw new Error("the page just written cannot be opened");
  const image = page.render(150);
  page.close();
  file.close();
  await rm(folder, { recursive: true });
  return image;
}

import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { cleanLine } from "./clean-text.ts";
import { createDocumentBuilder } from "./document-builder.ts";
import { writeHtml } from "./html-blocks.ts";
import { ParseFailure } from "./parse-failure.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ReadContext } from "./reader.ts";
import { findXmlText, walkXml } from "./xml.ts";
import { openZip, type ZipContainer } from "./zip-container.ts";

/** EPUB books: the chapters in the order of the spine, each as the HTML it is. */
export async function readEpub(context: ReadContext): Promise<ParsedDocument> {
  const zip = openZip(readFileSync(context.path), context.limits);
  checkProtection(zip);
  const packagePath = findPackage(zip);
  const packageXml = zip.readText(packagePath);
  if (packageXml === null) throw notABook();
  const builder = createDocumentBuilder(context.limits);
  const chapters = listChapters(packageXml, posix.dirname(packagePath));
  chapters.forEach((path, index) => {
    const html = zip.readText(path);
    if (html !== null) writeHtml(html, builder);
    context.progress({ stage: "reading", pagesDone: index + 1, pageCount: chapters.length });
  });
  return builder.finish({ title: cleanLine(findXmlText(packageXml, "title") ?? "") || null });
}

function notABook(): ParseFailure {
  return new ParseFailure("type_mismatch", "The file is named .epub, but holds no book. Export it again.");
}

/** Fonts may be scrambled without the book being protected; anything else scrambled cannot be read. */
function checkProtection(zip: ZipContainer): void {
  const xml = zip.readText("META-INF/encryption.xml");
  if (xml === null) return;
  const algorithms = [...xml.matchAll(/EncryptionMethod[^>]*Algorithm="([^"]*)"/g)].map(
    (match) => match[1] ?? "",
  );
  if (
    algorithms.some((algorithm) => !/idpf\.org\/2008\/embedding|ns\.adobe\.com\/pdf\/enc#RC/.test(algorithm))
  )
    throw new ParseFailure("encrypted", "The book is protected by rights management and cannot be read.");
}

function findPackage(zip: ZipContainer): string {
  let path: string | undefined;
  walkXml(zip.readText("META-INF/container.xml") ?? "", {
    open(name, attributes) {
      if (name === "rootfile") path ??= attributes["full-path"];
    },
  });
  if (!path) throw notABook();
  return path;
}

function listChapters(packageXml: string, folder: string): string[] {
  const paths = new Map<string, string>();
  const chapters: string[] = [];
  walkXml(packageXml, {
    open(name, { id = "", href = "", idref = "", linear }) {
      if (name === "item") paths.set(id, posix.normalize(posix.join(folder, decodePath(href))));
      const path = name === "itemref" && linear !== "no" ? paths.get(idref) : undefined;
      if (path) chapters.push(path);
    },
  });
  return [...new Set(chapters)];
}

function decodePath(href: string): string {
  const path = href.split("#")[0] ?? "";
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

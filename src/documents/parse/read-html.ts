import { isProbablyReaderable, Readability } from "@mozilla/readability";
import { parseHTML } from "linkedom";
import { cleanLine } from "./clean-text.ts";
import { createDocumentBuilder } from "./document-builder.ts";
import { writeHtml } from "./html-blocks.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import { decodeOrFail, readBytes } from "./read-text.ts";
import type { ReadContext } from "./reader.ts";

/** Building a tree of the page costs about ten times its size: larger pages are read without finding the article. */
const MAX_TREE_CHARS = 3_000_000;
/** An article this much shorter than the page left out more than navigation. */
const MIN_ARTICLE_SHARE = 0.5;

/** Reads the text of a page: the article when there clearly is one, else everything but navigation and the like. */
export async function readHtml(context: ReadContext): Promise<ParsedDocument> {
  const bytes = readBytes(context);
  const html = decodeOrFail(bytes, findCharset(bytes), context.limits.maxTextChars * 4);
  const page = createDocumentBuilder(context.limits);
  const rawTitle = writeHtml(html, page, { skipBoilerplate: true });
  const title = cleanLine(rawTitle ?? "") || null;
  const article = html.length <= MAX_TREE_CHARS ? findArticle(html) : null;
  if (article !== null) {
    const builder = createDocumentBuilder(context.limits);
    // The finder takes the heading that repeats the title away.
    if (title && !startsWithTitle(article, title)) builder.heading(1, title);
    writeHtml(article, builder);
    if (builder.length() > page.length() * MIN_ARTICLE_SHARE) return builder.finish({ title });
  }
  if (page.length() > 0) return page.finish({ title });
  // A page that is all form or navigation is still a page somebody wants to find.
  const everything = createDocumentBuilder(context.limits);
  writeHtml(html, everything);
  return everything.finish({ title });
}

function startsWithTitle(article: string, title: string): boolean {
  const heading = /<h[1-3][^>]*>(.*?)<\/h[1-3]>/s.exec(article)?.[1] ?? "";
  return cleanLine(heading.replace(/<[^>]+>/g, "")) === title;
}

/** Null when the page is not an article, or too unusual for the finder. */
function findArticle(html: string): string | null {
  try {
    const document = asDomDocument(parseHTML(html).document);
    if (!isProbablyReaderable(document)) return null;
    const article = new Readability(document, { maxElemsToParse: 50_000 }).parse();
    return article?.content ?? null;
  } catch {
    return null;
  }
}

type DomDocument = ConstructorParameters<typeof Readability>[0];

/** Guarantee: linkedom's document has the part of the DOM that Readability uses; its own types leave parts out. */
function asDomDocument(document: unknown): DomDocument {
  return document as DomDocument;
}

/** What the page says its encoding is, in its first kilobytes. */
function findCharset(bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.subarray(0, 4_096)).toString("latin1");
  return /(?:charset|encoding)\s*=\s*["']?\s*([\w-]{2,40})/i.exec(head)?.[1] ?? null;
}

import type { Language } from "../assistant/language.ts";
import type { Source } from "../assistant/sources.ts";
import { toWhatsApp } from "./format-markdown.ts";
import { splitText } from "./format-split.ts";
import { WHATSAPP_PHRASES } from "./phrases.ts";

/** Characters that one WhatsApp message may have. */
export const TEXT_MAX = 4_096;
const SOURCES_MAX = 8;
const TITLE_CHARS_MAX = 80;
const CITATION = /\[(\d{1,4})\]/g;

/**
 * An answer in WhatsApp's own notation, with one short block that says what its `[n]` stand for. One message where it
 * fits: each further one takes from the few that a person may be sent at once.
 */
export function formatAnswer(markdown: string, sources: readonly Source[], language: Language): string[] {
  const block = sourcesBlock(markdown, sources, language);
  const text = toWhatsApp(markdown);
  return splitText(block === "" ? text : `${text}\n\n${block}`, TEXT_MAX);
}

function sourcesBlock(answer: string, sources: readonly Source[], language: Language): string {
  const phrases = WHATSAPP_PHRASES[language];
  const numbers = new Set([...answer.matchAll(CITATION)].map(([, number]) => Number(number)));
  const places = new Map<string, string>();
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const source = sources[number - 1];
    if (source === undefined) continue;
    const place = placeOf(source, phrases.page);
    places.set(place, `${places.get(place) ?? ""}[${number}]`);
  }
  if (places.size === 0) return "";
  const lines = [...places].slice(0, SOURCES_MAX).map(([place, cited]) => `${cited} ${place}`);
  return `*${phrases.sources}*\n${lines.join("\n")}`;
}

function placeOf({ title, page }: Source, word: string): string {
  const plain = title.replace(/\s+/g, " ").trim();
  const short = plain.length > TITLE_CHARS_MAX ? `${cut(plain)}…` : plain;
  return page === null ? short : `${short}, ${word} ${page}`;
}

function cut(title: string): string {
  return title.slice(0, TITLE_CHARS_MAX).toWellFormed().replaceAll("\ufffd", "");
}

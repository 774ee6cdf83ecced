import { makePdf } from "../test/files/pdf-writer.ts";
import { createRandom, randomWord } from "./retrieval-data.ts";

/** Sentences of a made-up language in paragraphs; the same seed gives the same text. */
function makeText(seed: number, bytes: number): string {
  const random = createRandom(seed);
  let text = "";
  while (text.length < bytes) {
    const words = Array.from({ length: 6 + Math.floor(random() * 14) }, () => randomWord(random));
    text += `${words.join(" ")}. ${random() < 0.15 ? "\n\n" : ""}`;
  }
  return text.slice(0, bytes);
}

let prose = "";

/** Every text another one, cut from a long one: the sender shares the machine with the server it measures. */
export function takeText(seed: number, bytes: number): string {
  const length = Math.max(2_000_000, bytes * 2);
  if (prose.length < length) prose = makeText(1, length);
  const start = (seed * 7_919) % (prose.length - bytes);
  return `Number ${seed}. ${prose.slice(start, start + bytes)}`.slice(0, bytes);
}

/** Fifty pages as a report has them; each a file of its own by its title. */
export function makeReports(count: number): Buffer[] {
  const lines = makeText(7, 50 * 46 * 86).match(/.{1,85}(?: |$)/g) ?? [];
  const pages = Array.from({ length: 50 }, (_, page) => ({ lines: lines.slice(page * 46, page * 46 + 46) }));
  return Array.from({ length: count }, (_, i) => makePdf({ pages, title: `Report ${i} ${Date.now()}` }));
}

/** Three words of the same language, as people ask. */
export function makeQuestion(seed: number): string {
  const random = createRandom(seed);
  return Array.from({ length: 3 }, () => randomWord(random)).join(" ");
}

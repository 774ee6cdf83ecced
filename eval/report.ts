import { median, printTable } from "../bench/support.ts";
import type { Mark } from "./judge.ts";

/** Shares from 0 to 1. */
export interface Figures {
  "right passage first": number;
  "right passage used": number;
  "right page cited": number;
  "right source cited": number;
  "facts stated": number;
  "citations exist": number;
  grounded: number;
  "off-topic refused": number;
}

/** Below these the run fails. A little under what was measured, so that they tell a loss and not the weather. */
export const LIMITS: Readonly<Record<"extractive" | "stub" | "model", Figures>> = {
  extractive: {
    "right passage first": 0.8,
    "right passage used": 0.9,
    "right page cited": 0.9,
    "right source cited": 0.85,
    "facts stated": 0.8,
    "citations exist": 1,
    grounded: 0.98,
    "off-topic refused": 1,
  },
  stub: {
    "right passage first": 0.8,
    "right passage used": 0.9,
    "right page cited": 0.9,
    "right source cited": 0.75,
    "facts stated": 0.6,
    "citations exist": 1,
    grounded: 0.98,
    "off-topic refused": 1,
  },
  model: {
    "right passage first": 0.8,
    "right passage used": 0.9,
    "right page cited": 0.9,
    "right source cited": 0.85,
    "facts stated": 0.85,
    "citations exist": 1,
    grounded: 0.8,
    "off-topic refused": 1,
  },
};

/** What was asked outside of the documents' subjects, and how much of it was refused. */
export interface Refusals {
  asked: number;
  refused: number;
}

export function figuresOf(marks: readonly Mark[], offTopic: Refusals): Figures {
  const paged = marks.filter(({ pageRight }) => pageRight !== null);
  return {
    "right passage first": share(marks, ({ rank }) => rank === 0),
    "right passage used": share(marks, ({ used }) => used),
    "right page cited": share(paged, ({ pageRight }) => pageRight === true),
    "right source cited": share(marks, ({ cited }) => cited),
    "facts stated": share(marks, ({ right }) => right),
    "citations exist": share(marks, ({ unknownCitations }) => unknownCitations === 0),
    grounded: sum(marks, "supported") / sum(marks, "sentences"),
    "off-topic refused": offTopic.refused / offTopic.asked,
  };
}

export function printMarks(title: string, marks: readonly Mark[]): void {
  const groups = Map.groupBy(marks, ({ question }) => question.file);
  printTable(title, [...[...groups].map(([file, own]) => row(file, own)), row("all", marks)]);
}

export function printRefusals(offTopic: Refusals, nearTopic: Refusals, marks: readonly Mark[]): void {
  printTable("Refusals in query mode", [
    refusalRow("off the topic, to be refused", offTopic),
    refusalRow("near the topic, to be refused", nearTopic),
    refusalRow("answerable, not to be refused", {
      asked: marks.length,
      refused: marks.filter(({ refused }) => refused).length,
    }),
  ]);
}

/** Questions that did not come out right, with what is needed to see why. */
export function printMisses(marks: readonly Mark[], whole: boolean): void {
  const misses = marks.filter(({ right, cited, pageRight }) => !right || !cited || pageRight === false);
  console.log(`\nNot right: ${misses.length} of ${marks.length}`);
  for (const mark of misses) {
    console.log(`  ${describe(mark)}: ${mark.question.ask}`);
    if (whole) console.log(`${mark.answer.text.replaceAll(/^/gm, "      ")}\n`);
  }
}

/** What no cited passage supports, with the question it was said to. */
export function printUnsupported(marks: readonly Mark[]): void {
  console.log("\nNot supported by what is cited");
  for (const { question, unsupported } of marks) {
    for (const sentence of unsupported) console.log(`  ${question.ask}: ${sentence}`);
  }
}

/** @returns whether every figure is at its limit or above */
export function printLimits(figures: Figures, limits: Figures): boolean {
  const names = Object.keys(limits).filter((name): name is keyof Figures => name in figures);
  printTable(
    "Limits",
    names.map((name) => ({
      figure: name,
      measured: percent(figures[name]),
      "at least": percent(limits[name]),
      "": isReached(figures[name], limits[name]) ? "ok" : "TOO LOW",
    })),
  );
  return names.every((name) => isReached(figures[name], limits[name]));
}

/** NaN, where nothing was measured, reaches nothing. */
function isReached(figure: number, limit: number): boolean {
  return figure >= limit;
}

function row(file: string, marks: readonly Mark[]): Record<string, string | number> {
  const paged = marks.filter(({ pageRight }) => pageRight !== null);
  return {
    file,
    asked: marks.length,
    "passage first": percent(share(marks, ({ rank }) => rank === 0)),
    used: percent(share(marks, ({ used }) => used)),
    cited: percent(share(marks, ({ cited }) => cited)),
    page: paged.length === 0 ? "" : percent(share(paged, ({ pageRight }) => pageRight === true)),
    facts: percent(share(marks, ({ right }) => right)),
    grounded: percent(sum(marks, "supported") / sum(marks, "sentences")),
    "search ms": Math.round(median(marks.map(({ searchMs }) => searchMs))),
    "answer ms": Math.round(median(marks.map(({ answer }) => answer.ms))),
  };
}

function refusalRow(questions: string, { asked, refused }: Refusals): Record<string, string | number> {
  return { questions, asked, refused };
}

function describe({ question, rank, used, refused, cited, pageRight, right, answer }: Mark): string {
  if (refused) return `refused (passage ${place(rank)})`;
  if (!used) return `passage not used (${place(rank)})`;
  if (!cited) return "other source cited";
  if (pageRight === false) {
    const pages = answer.sources.map(({ page }) => page).join(", ");
    return `${right ? "" : "fact missing, "}page ${question.page} cited as one of ${pages}`;
  }
  return "fact missing";
}

function place(rank: number | null): string {
  return rank === null ? "not found" : `at place ${rank + 1}`;
}

function share<Thing>(things: readonly Thing[], holds: (thing: Thing) => boolean): number {
  return things.filter(holds).length / things.length;
}

function sum(marks: readonly Mark[], name: "sentences" | "supported"): number {
  return marks.reduce((total, mark) => total + mark[name], 0);
}

function percent(part: number): string {
  return Number.isNaN(part) ? "–" : `${Math.round(100 * part)} %`;
}

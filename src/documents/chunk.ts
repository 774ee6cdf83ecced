import { findCut } from "./chunk-cut.ts";
import { createPageFinder, describeChunks } from "./chunk-places.ts";
import { COST_PER_TOKEN, estimateCost } from "./chunk-tokens.ts";
import { skipSpace, skipSpaceBack, splitUnits, type Unit } from "./chunk-units.ts";
import type { ParsedDocument, Span } from "./parse/parsed-document.ts";

/** Part of the key of everything derived from chunks: raise it whenever the same text would be cut differently. */
export const CHUNKER_VERSION = 2;

export interface ChunkOptions {
  /** What a chunk is filled up to. Default 400. */
  targetTokens?: number;
  /** What a chunk never passes, the table header it repeats included. Default 500, at least 16. */
  maxTokens?: number;
  /** A chunk smaller than this is joined with what follows, also across small sections. Default 200. */
  minTokens?: number;
}

export interface Chunk extends Span {
  /** From 0, in reading order. */
  ordinal: number;
  /** Exactly `document.text.slice(start, end)`. */
  text: string;
  /** Estimated, of `text` alone. */
  tokens: number;
  /** Headings above the chunk, the highest first; what all of the chunk shares. */
  headingPath: string[];
  /** The header row, when the chunk begins in the middle of a table. */
  tableHeader: string | null;
  /** Null for documents without pages. */
  pageStart: number | null;
  pageEnd: number | null;
}

/**
 * Cuts a document into passages for retrieval. Structure comes first: a chunk begins at a heading where it can, and
 * rows, items and sentences stay whole. Nothing but white space is between chunks and nothing is in two.
 */
export function chunkDocument(
  document: Pick<ParsedDocument, "text" | "pages" | "sections" | "blocks">,
  options: ChunkOptions = {},
): Chunk[] {
  const { text } = document;
  const budget = readBudget(options);
  const drafts: Draft[] = [];
  const findPage = createPageFinder(document.pages);
  let pageBefore: number | null = null;
  let draft: Draft | null = null;
  for (const unit of splitUnits(text, document.blocks)) {
    const page = findPage(unit.start);
    // A heading begins a new chunk once the one before is worth reading by itself, or when it begins a page: a citation
    // names one.
    const isWorthIt = page !== pageBefore || (draft?.cost ?? 0) >= budget.min;
    if (draft && unit.startsSection && isWorthIt) draft = finish(drafts, draft, text, budget);
    pageBefore = page;
    draft = addUnit(drafts, draft, unit, text, budget);
  }
  if (draft) finish(drafts, draft, text, budget);
  return describeChunks(document, drafts);
}

/**
 * The text a chunk is embedded and indexed as: what it is about, then what it says. `title` is the document's.
 */
export function contextualText(
  chunk: Pick<Chunk, "text" | "headingPath" | "tableHeader">,
  title: string,
): string {
  const path = [title, ...chunk.headingPath]
    .filter((part, index, all) => part && part !== all[index - 1])
    .join(" > ");
  return [path, chunk.tableHeader, chunk.text].filter(Boolean).join("\n\n");
}

/** A chunk while it is being filled. `cost` includes the table header it will repeat. */
export interface Draft extends Span {
  cost: number;
  header: Span | null;
  startsSection: boolean;
}

/** In hundredths of a token. */
interface Budget {
  target: number;
  max: number;
  min: number;
}

function readBudget(options: ChunkOptions): Budget {
  const max = Math.max(16, options.maxTokens ?? 500) * COST_PER_TOKEN;
  const target = Math.min(max, Math.max(8, options.targetTokens ?? 400) * COST_PER_TOKEN);
  return { max, target, min: Math.min(target / 2, (options.minTokens ?? 200) * COST_PER_TOKEN) };
}

/** Puts a unit into the open draft, ending drafts and cutting the unit as the budget asks for. */
function addUnit(
  drafts: Draft[],
  open: Draft | null,
  unit: Unit,
  text: string,
  budget: Budget,
): Draft | null {
  let draft = open;
  let { start, cost: left } = unit;
  while (start < unit.end) {
    const gap = draft ? estimateCost(text, draft.end, start) : 0;
    if (draft && !canTake(draft, gap, left, unit, budget)) {
      draft = finish(drafts, draft, text, budget);
      continue;
    }
    draft ??= openDraft(unit, start, text, budget);
    const wanted = draft.cost + gap + left;
    if (wanted <= budget.target || (wanted <= budget.max && draft.cost < budget.min)) {
      draft.end = unit.end;
      draft.cost = wanted;
      return draft;
    }
    const cut = findCut(text, start, unit.end, budget.target - draft.cost - gap);
    draft.end = skipSpaceBack(text, start, cut);
    draft.cost += gap + estimateCost(text, start, draft.end);
    draft = finish(drafts, draft, text, budget);
    const next = skipSpace(text, cut, unit.end);
    left -= estimateCost(text, start, next);
    start = next;
  }
  return draft;
}

/**
 * A draft takes what fits. What does not fit is begun in it only when the draft is small, there is room for more than
 * a scrap, and the unit has to be cut anyway or is a paragraph.
 */
function canTake(draft: Draft, gap: number, left: number, unit: Unit, budget: Budget): boolean {
  const wanted = draft.cost + gap + left;
  if (wanted <= budget.target) return true;
  if (draft.cost >= budget.min) return false;
  if (wanted <= budget.max) return true;
  const room = budget.target - draft.cost - gap;
  return room >= budget.min / 2 && (unit.kind === "paragraph" || left > budget.max);
}

function openDraft(unit: Unit, start: number, text: string, budget: Budget): Draft {
  const headerCost = unit.header ? estimateCost(text, unit.header.start, unit.header.end) : 0;
  // A header that would take a third of every chunk explains less than the rows it displaces.
  const header = headerCost <= budget.target / 3 ? unit.header : null;
  return {
    start,
    end: start,
    cost: header ? headerCost : 0,
    header,
    startsSection: unit.startsSection && start === unit.start,
  };
}

/** Ends a draft; a scrap is added to the chunk before it when that has room. */
function finish(drafts: Draft[], draft: Draft, text: string, budget: Budget): null {
  const previous = drafts.at(-1);
  if (previous && !draft.startsSection && draft.cost < budget.min / 2) {
    const joined = previous.cost + estimateCost(text, previous.end, draft.start) + draft.cost;
    if (joined <= budget.max) {
      previous.end = draft.end;
      previous.cost = joined;
      return null;
    }
  }
  drafts.push(draft);
  return null;
}

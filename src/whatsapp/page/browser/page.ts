import type { PageData, Panel, ScriptTexts } from "../page-data.ts";

export const page = readPageData();
export const isFramed = window.parent !== window;
let isFresh = true;

/** The server wrote it into this very page. */
function readPageData(): PageData {
  return JSON.parse(document.getElementById("page-data")?.textContent ?? "") as PageData;
}

/** What stands in the page under a name; there may be several. */
export function parts(name: string): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(`[data-part="${name}"]`)];
}

export function reveal(name: string, isShown = true): void {
  for (const element of parts(name)) element.hidden = !isShown;
}

/** Puts a text into its place; an empty one hides the place. */
export function fill(name: string, text: string): void {
  for (const element of document.querySelectorAll<HTMLElement>(`[data-fill="${name}"]`)) {
    element.textContent = text;
    element.hidden = text === "";
  }
}

/** A text with its `{names}` filled in. Numbers and times stay in one line, names may be long. */
export function say(name: keyof ScriptTexts, values: Readonly<Record<string, string>> = {}): string {
  return page.texts[name].replace(/\{(\w+)\}/g, (_whole, key: string) => {
    const value = values[key] ?? "";
    return key === "account" ? value : value.replaceAll(" ", "\u00a0");
  });
}

export function nowShown(): Panel | undefined {
  const shown = document.querySelector<HTMLElement>("[data-panel]:not([hidden])");
  return asPanel(shown?.dataset.panel);
}

/** The page is made of panels alone. */
function asPanel(name: string | undefined): Panel | undefined {
  return name as Panel | undefined;
}

/**
 * Shows one panel. The focus goes along, so that whoever hears the page or uses the keyboard is where it goes on; but
 * not when the page has just been loaded, since a frame would take it from the page around it.
 */
export function show(panel: Panel, title?: string): void {
  const isAnother = !isFresh && nowShown() !== panel;
  isFresh = false;
  for (const element of document.querySelectorAll<HTMLElement>("[data-panel]")) {
    element.hidden = element.dataset.panel !== panel;
  }
  document.body.dataset.now = panel;
  const section = document.querySelector<HTMLElement>(`[data-panel="${panel}"]`);
  const heading = section?.querySelector<HTMLElement>("h1");
  if (heading && title !== undefined) heading.textContent = title;
  if (!isAnother) return;
  heading?.focus({ preventScroll: isFramed });
  speak(section?.querySelector("p")?.textContent ?? "");
}

/** For screen readers, after what has the focus. */
export function speak(text: string): void {
  for (const element of parts("spoken")) element.textContent = text;
}

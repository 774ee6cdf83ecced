import { isFramed, page } from "./page.ts";

export type ParentEvent =
  | "whatsapp.ready"
  | "whatsapp.resize"
  | "whatsapp.cancelled"
  | "whatsapp.error"
  | "whatsapp.connected";

/** Tells the page around this one, and only the one that the link was made for. Nothing in it is a secret. */
export function tellParent(type: ParentEvent, facts: Readonly<Record<string, unknown>> = {}): void {
  if (!isFramed || page.parentOrigin === null) return;
  const message = {
    source: "lumenone",
    type,
    version: 1,
    workspace: page.originalSlug,
    connection_id: null,
    ...facts,
  };
  window.parent.postMessage(message, page.parentOrigin);
}

/** So that the frame can be as high as what is in it. */
export function tellHeight(): void {
  let told = 0;
  const tell = () => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    if (height !== told) tellParent("whatsapp.resize", { height });
    told = height;
  };
  new ResizeObserver(tell).observe(document.documentElement);
}

import { Parser } from "htmlparser2";
import { ParseFailure } from "./parse-failure.ts";

const MAX_DEPTH = 2_000;

export interface XmlHandlers {
  /** `name` comes without its namespace prefix; attributes go by their full name and by the one without prefix. */
  open?(name: string, attributes: Record<string, string>): void;
  text?(text: string): void;
  close?(name: string): void;
}

/**
 * Streams over XML. Entities other than the five of XML are left as they stand: a document type can define nothing,
 * so it can neither grow nor reach out.
 *
 * @throws ParseFailure `damaged` when elements nest too deep
 */
export function walkXml(xml: string, handlers: XmlHandlers): void {
  let depth = 0;
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        depth += 1;
        if (depth > MAX_DEPTH)
          throw new ParseFailure("damaged", "The file is damaged: its parts nest without end.");
        handlers.open?.(localName(name), localAttributes(attributes));
      },
      ontext: (text) => handlers.text?.(text),
      onclosetag(name) {
        depth -= 1;
        handlers.close?.(localName(name));
      },
    },
    { xmlMode: true, decodeEntities: true },
  );
  parser.write(xml);
  parser.end();
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function localAttributes(attributes: Record<string, string>): Record<string, string> {
  const local: Record<string, string> = {};
  for (const name in attributes) {
    local[name] = attributes[name] ?? "";
    local[localName(name)] ??= attributes[name] ?? "";
  }
  return local;
}

/** The text of the first element with this name; null when there is none or it is blank. */
export function findXmlText(xml: string | null, name: string): string | null {
  let found: string | null = null;
  let inside = false;
  let done = false;
  if (xml === null) return null;
  walkXml(xml, {
    open(opened) {
      if (opened === name && !done) inside = true;
    },
    text(text) {
      if (inside) found = (found ?? "") + text;
    },
    close(closed) {
      if (closed === name && inside) {
        inside = false;
        done = true;
      }
    },
  });
  return found;
}

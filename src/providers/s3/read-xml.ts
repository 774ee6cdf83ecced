/**
 * Just enough XML for S3's answers: flat elements without attributes that matter, read by name. S3 documents are
 * written by machines from a fixed schema, and no value we use may hold markup.
 */
export function elementsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g"))].map(
    (match) => match[1] ?? "",
  );
}

/** The text of the first element of that name; null when there is none. */
export function textOf(xml: string, name: string): string | null {
  const found = elementsOf(xml, name)[0];
  return found === undefined ? null : decodeEntities(found);
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  return text.replace(/&(#x?)?(\w+);/g, (whole, numeric: string | undefined, body: string) => {
    if (numeric === undefined) return entities[body] ?? whole;
    return String.fromCodePoint(Number.parseInt(body, numeric === "#x" ? 16 : 10));
  });
}

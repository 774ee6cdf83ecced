/** What came as JSON and may be anything inside: Meta adds fields, and its own examples break its own schemas. */
export type Json = Readonly<Record<string, unknown>>;

/** Without fields where it is no object. */
export function asRecord(value: unknown): Json {
  return isRecord(value) ? value : {};
}

/** The objects of a list; empty where it is none. */
export function asList(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** Ids come as text, and at times as numbers. */
export function asText(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

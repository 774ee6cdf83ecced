import { z } from "zod";
import { Problem } from "./problem.ts";

const NUL = String.fromCharCode(0);

/** ISO 8601 in UTC with milliseconds. */
export const isoTime = z.iso.datetime({ precision: 3 }).meta({ example: "2026-05-25T12:34:56.000Z" });

/** Any JSON value. */
export const jsonValue: z.ZodType<z.core.util.JSONType> = z
  .lazy(() =>
    z.union([
      z.string(),
      z.number(),
      z.boolean(),
      z.null(),
      z.array(jsonValue),
      z.record(z.string(), jsonValue),
    ]),
  )
  .meta({ id: "JsonValue", description: "Any JSON value." });

/** A name that people read: no control characters, no leading or trailing white space. */
export const displayName = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(200)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it refuses
  .regex(/^[^\u0000-\u001f\u007f]+$/, "must not contain control characters");

/** A slug as people write it; its hex form goes into paths. */
export const originalSlug = z
  .string()
  .max(80)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "takes lower-case ASCII letters and digits, separated by single hyphens")
  .meta({ example: "acme" });

/** The hex form of a slug's UTF-8 bytes, as it stands in a path; parsed to the original. */
export const pathSlug = z
  .string()
  .transform((hex) => decodeSlug(hex))
  .meta({ example: "61636d65", description: "The slug's UTF-8 bytes in hex, as in the field `slug`." });

/** `?flag=true` or `?flag=false`. */
export const booleanQuery = z.enum(["true", "false"]).transform((text) => text === "true");

/** `?force=true`: do it although something depends on it. */
export const ForceQuery = z.strictObject({ force: booleanQuery.optional() });

export const PageQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,4}$/, "is not a whole number")
    .transform(Number)
    .pipe(z.int().min(1).max(500))
    .default(100)
    .meta({ description: "How many a page may hold.", example: 100 }),
  cursor: z.string().max(200).optional().meta({ description: "`next_cursor` of the page before." }),
});

/** A list's last field: `null` on the last page. */
export const nextCursor = z
  .string()
  .nullable()
  .meta({ description: "For the next page; null on the last one.", example: null });

export const Success = z.object({ success: z.literal(true) }).meta({ id: "Success" });

/** The hex form of an original slug. */
export function encodeSlug(original: string): string {
  return Buffer.from(original, "utf8").toString("hex");
}

function decodeSlug(hex: string): string {
  if (/^([0-9a-f]{2})+$/i.test(hex)) {
    const original = Buffer.from(hex, "hex").toString("utf8");
    // No slug holds a NUL, and PostgreSQL takes none.
    if (encodeSlug(original) === hex.toLowerCase() && !original.includes(NUL)) return original;
  }
  const meant = encodeSlug(hex);
  throw new Problem(
    "slug_not_hex",
    `Slugs in paths are in hex form. For "${hex.slice(0, 80)}" that is ${meant}.`,
    {
      details: [{ path: "path", message: `is not the hex form of a slug; use ${meant}` }],
    },
  );
}

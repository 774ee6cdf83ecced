import { z } from "zod";
import { nextCursor, originalSlug, PageQuery } from "../http/schemas.ts";

const day = z.iso
  .date()
  .refine((text) => text >= "2000-01-01", "is before 2000")
  .meta({ example: "2026-05-25" });
const count = z.int().min(0);

const counts = {
  messages: count.meta({ description: "Answers given, on every channel." }),
  input_tokens: count,
  output_tokens: count,
  searches: count.meta({ description: "Direct searches (`vector-search`)." }),
  call_seconds: count,
};

export const UsageDay = z
  .object({
    date: day.meta({ description: "The UTC day." }),
    account_id: z.uuid(),
    organization_id: z.int(),
    ...counts,
    documents: count
      .nullable()
      .meta({ description: "Documents taken in. They are the organization's: null with `workspace`." }),
    storage_bytes: count
      .nullable()
      .meta({ description: "The most its originals took, looked at every hour; null with `workspace`." }),
  })
  .meta({ id: "UsageDay" });

export const UsageTotals = z
  .object({
    ...counts,
    documents: count.nullable(),
    storage_byte_days: count
      .nullable()
      .meta({ description: "The sum of every day's `storage_bytes`; null with `workspace`." }),
  })
  .meta({ id: "UsageTotals" });

export const UsageQuery = PageQuery.extend({
  from: day.optional().meta({ description: "The first UTC day; without it, 30 days up to `to`." }),
  to: day.optional().meta({ description: "The last UTC day; without it, today. At most 366 days." }),
  organization_id: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, "is not an organization's id")
    .transform(Number)
    .optional()
    .meta({ description: "Only this organization.", example: "1" }),
  workspace: originalSlug.optional().meta({
    description: "Only this workspace (its `originalSlug`); needs `X-Account-Id`.",
    example: "support",
  }),
});
export type UsageQuery = z.output<typeof UsageQuery>;

export const Usage = z
  .object({
    from: day,
    to: day,
    usage: z.array(UsageDay),
    totals: UsageTotals.meta({ description: "Of the whole time, not only of this page." }),
    next_cursor: nextCursor,
  })
  .meta({ id: "Usage" });

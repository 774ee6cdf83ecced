import { z } from "zod";
import { callVapi, readAnswer, type VapiOptions } from "./call-vapi.ts";

/** The most that a list answers at once. */
const PAGE = 1_000;

/** All there is of a kind, newest first. Vapi's lists have no cursor: each page ends before the oldest of the last. */
export async function* readPages<Item extends { createdAt: string }>(
  options: VapiOptions,
  path: string,
  item: z.ZodType<Item>,
  signal: AbortSignal,
): AsyncGenerator<Item[], void, void> {
  let before: string | undefined;
  for (;;) {
    const query = { limit: String(PAGE), ...(before === undefined ? {} : { createdAtLt: before }) };
    const page = readAnswer(z.array(item), await callVapi(options, { method: "GET", path, query, signal }));
    yield page;
    const oldest = page.at(-1)?.createdAt;
    if (page.length < PAGE || oldest === undefined || oldest === before) return;
    before = oldest;
  }
}

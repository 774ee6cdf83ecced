import { sql } from "kysely";
import type { WorkspacePart } from "../context.ts";

interface Shown {
  threads: { slug: string; name: string }[];
  total: number;
}

/** The hundred newest threads of a workspace, and how many it has. */
export const threadsPart: WorkspacePart = {
  name: "thread_contents",
  select: sql`(select json_build_object(
    'threads', (select coalesce(json_agg(json_build_object('slug', newest.thread_slug, 'name', newest.name)), '[]'::json)
      from (select c.thread_slug, c.name from conversations c
        where c.workspace_id = workspaces.id and c.thread_slug is not null order by c.id desc limit 100) newest),
    'total', (select count(*) from conversations c
      where c.workspace_id = workspaces.id and c.thread_slug is not null)))`,
  show(value) {
    const { threads, total } = asShown(value);
    return { threads, totals: { threads: total } };
  },
};

/** Built by the query above. */
function asShown(value: unknown): Shown {
  return value as Shown;
}

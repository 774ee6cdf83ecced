import { sql } from "kysely";
import type { WorkspacePart } from "../context.ts";
import { formatDocpath } from "./docpath.ts";

interface Shown {
  documents: {
    folder: string;
    name: string;
    title: string;
    status: string;
    chunks: number;
    tokens: number;
  }[];
  totals: { documents: number; chunks: number; tokens: number };
}

/** The first hundred documents of a workspace, and how much all of them hold. */
export const documentsPart: WorkspacePart = {
  name: "document_contents",
  select: sql`(select json_build_object(
    'documents', (select coalesce(json_agg(newest), '[]'::json) from (
      select documents.folder, documents.name, documents.title, members.status,
        coalesce(segments.chunks, 0) as chunks, coalesce(segments.tokens, 0) as tokens
      from workspace_documents members
      join documents on documents.id = members.document_id
      left join segments on segments.id = members.segment_id
      where members.workspace_id = workspaces.id order by documents.id desc limit 100) newest),
    'totals', (select json_build_object('documents', count(*),
        'chunks', coalesce(sum(segments.chunks), 0), 'tokens', coalesce(sum(segments.tokens), 0))
      from workspace_documents members left join segments on segments.id = members.segment_id
      where members.workspace_id = workspaces.id)))`,
  show(value, orgSlug) {
    const { documents, totals } = asShown(value);
    return {
      documents: documents.map(({ folder, name, ...rest }) => ({
        docpath: formatDocpath(orgSlug, { folder, name }),
        ...rest,
      })),
      totals: { ...totals, threads: 0 },
    };
  },
};

/** Built by the query above. */
function asShown(value: unknown): Shown {
  return value as Shown;
}

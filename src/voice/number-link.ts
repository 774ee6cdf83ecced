import { sql } from "kysely";

/** Of the row `numbers` in a query: the workspace whose assistant answers it. */
export const numberLink = sql<{
  workspace: string;
} | null>`(select json_build_object('workspace', workspaces.slug)
  from voice_integrations join workspaces on workspaces.id = voice_integrations.workspace_id
  where voice_integrations.number_id = numbers.id)`;

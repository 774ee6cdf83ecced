import { sql } from "kysely";

/**
 * Whether anything is attached to the row `workspaces` of a query: most workspaces have no tools, and then a turn need
 * not ask for them.
 */
export const attachedToolsExist = sql<boolean>`exists (select from workspace_tools
  where workspace_tools.workspace_id = workspaces.id)`;

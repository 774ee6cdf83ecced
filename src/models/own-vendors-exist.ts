import { sql } from "kysely";

/** Whether the organization of the row `workspaces` of a query has credentials of its own. */
export const ownVendorsExist = sql<boolean>`exists (select from model_providers
  where model_providers.organization_id = workspaces.organization_id)`;

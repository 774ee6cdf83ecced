import { z } from "zod";
import { displayName, isoTime, nextCursor, originalSlug, pathSlug } from "../http/schemas.ts";

export const Organization = z
  .object({
    id: z.int(),
    account_id: z.uuid(),
    name: z.string().meta({ example: "Acme" }),
    slug: z.string().meta({ description: "Hex form, for paths.", example: "61636d65" }),
    originalSlug: z.string().meta({ description: "For queries, bodies and docpaths.", example: "acme" }),
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: "Organization" });
export type Organization = z.output<typeof Organization>;

const Counts = z.object({ workspaces: z.int(), documents: z.int(), numbers: z.int() });

export const OrganizationWithCounts = Organization.extend({ counts: Counts }).meta({
  id: "OrganizationWithCounts",
});
export type Counts = z.output<typeof Counts>;

export const CreateOrganization = z
  .strictObject({
    name: displayName,
    slug: originalSlug.optional().meta({ description: "Made from the name when absent. It never changes." }),
  })
  .meta({ id: "CreateOrganization" });
export type CreateOrganization = z.output<typeof CreateOrganization>;

export const UpdateOrganization = z
  .strictObject({ name: displayName.optional() })
  .refine((fields) => Object.keys(fields).length > 0, "needs at least one field")
  .meta({ id: "UpdateOrganization", minProperties: 1 });

export const OrganizationParams = z.strictObject({ orgSlug: pathSlug });

export const OrganizationList = z
  .object({ organizations: z.array(Organization), next_cursor: nextCursor })
  .meta({ id: "OrganizationList" });
export const OrganizationFetched = z
  .object({ organization: OrganizationWithCounts })
  .meta({ id: "OrganizationFetched" });
export const OrganizationResponse = z
  .object({ success: z.literal(true), organization: Organization })
  .meta({ id: "OrganizationResponse" });

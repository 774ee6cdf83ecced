import { z } from "zod";
import { displayName, isoTime, originalSlug } from "../http/schemas.ts";
import { SCOPES } from "../http/scopes.ts";

export const Partner = z
  .object({ id: z.uuid(), name: z.string().meta({ example: "Example CRM" }), created_at: isoTime })
  .meta({ id: "Partner" });

export const CreatePartner = z.strictObject({ name: displayName }).meta({ id: "CreatePartner" });

const keyFields = {
  id: z.uuid(),
  partner_id: z.uuid().nullable(),
  name: z.string().meta({ example: "Production" }),
  prefix: z
    .string()
    .meta({ description: "The beginning of the key, to recognise it by.", example: "lum_3vX9aQ0b" }),
  scopes: z
    .array(z.string())
    .nullable()
    .meta({ description: "null: everything.", example: ["workspaces:read"] }),
  account_id: z.uuid().nullable().meta({ description: "null: all accounts.", example: null }),
  workspace_id: z.int().nullable().meta({ description: "null: all workspaces.", example: null }),
  expires_at: isoTime.nullable().meta({ description: "null: never.", example: null }),
  revoked_at: isoTime.nullable().meta({ description: "null: it is not revoked.", example: null }),
  last_used_at: isoTime.nullable().meta({ description: "null: not yet.", example: null }),
  created_at: isoTime,
};
export const ApiKey = z.object(keyFields).meta({ id: "ApiKey" });
export const IssuedKey = z
  .object({
    ...keyFields,
    key: z.string().meta({
      description: "The secret. It is shown this once.",
      example: "lum_<43 characters of base64url><8 hex digits>",
    }),
  })
  .meta({ id: "IssuedKey" });

export const CreateKey = z
  .strictObject({
    name: displayName.optional(),
    scopes: z.array(z.enum(SCOPES)).min(1).optional().meta({ description: "Absent: everything." }),
    account_id: z
      .uuid()
      .transform((id) => id.toLowerCase())
      .optional()
      .meta({ description: "Narrows the key to one account." }),
    workspace_slug: originalSlug
      .optional()
      .meta({ description: "Narrows it further to one workspace of that account; needs `account_id`." }),
    expires_at: z.iso.datetime({ offset: true }).optional().meta({ description: "Absent: never." }),
  })
  .meta({ id: "CreateKey" });

const partnerId = z.uuid().transform((id) => id.toLowerCase());
export const PartnerParams = z.strictObject({ partnerId });
export const KeyParams = z.strictObject({ partnerId, keyId: z.uuid().transform((id) => id.toLowerCase()) });

export const PartnerList = z.object({ partners: z.array(Partner) }).meta({ id: "PartnerList" });
export const PartnerResponse = z
  .object({ success: z.literal(true), partner: Partner })
  .meta({ id: "PartnerResponse" });
export const KeyList = z.object({ api_keys: z.array(ApiKey) }).meta({ id: "KeyList" });
export const KeyResponse = z
  .object({ success: z.literal(true), api_key: ApiKey })
  .meta({ id: "KeyResponse" });
export const IssuedKeyResponse = z
  .object({ success: z.literal(true), api_key: IssuedKey })
  .meta({ id: "IssuedKeyResponse" });

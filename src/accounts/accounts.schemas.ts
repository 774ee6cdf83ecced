import { z } from "zod";
import { displayName, isoTime, nextCursor } from "../http/schemas.ts";

const externalId = z
  .string()
  .min(1)
  .max(200)
  .meta({ description: "The partner's own id, unique per partner." });

const allowedOrigins = z
  .array(z.string().max(300))
  .max(50)
  .meta({
    description:
      "Exact origins (`https://host[:port]`) whose pages may embed ours. `http://localhost[:port]` only while this " +
      "installation itself is not on https.",
    example: ["https://app.example.com"],
  });

export const Account = z
  .object({
    id: z.uuid(),
    name: z.string().meta({ example: "Acme" }),
    external_id: z.string().nullable().meta({ example: "crm-4711" }),
    allowed_origins: z.array(z.string()).meta({ example: ["https://app.example.com"] }),
    suspended_at: isoTime
      .nullable()
      .meta({ description: "Since when it is suspended; null: it is active.", example: null }),
    created_at: isoTime,
  })
  .meta({ id: "Account" });
export type Account = z.output<typeof Account>;

export const CreateAccount = z
  .strictObject({
    name: displayName,
    external_id: externalId.nullish(),
    allowed_origins: allowedOrigins.optional(),
  })
  .meta({ id: "CreateAccount" });
export type CreateAccount = z.output<typeof CreateAccount>;

export const UpdateAccount = CreateAccount.partial()
  .refine((fields) => Object.keys(fields).length > 0, "needs at least one field")
  .meta({ id: "UpdateAccount", minProperties: 1 });
export type UpdateAccount = z.output<typeof UpdateAccount>;

export const DeleteAccount = z
  .strictObject({ confirm: z.string().meta({ description: "The account's name, to the letter." }) })
  .meta({ id: "DeleteAccount" });

export const AccountParams = z.strictObject({ accountId: z.uuid().transform((id) => id.toLowerCase()) });

export const AccountList = z
  .object({ accounts: z.array(Account), next_cursor: nextCursor })
  .meta({ id: "AccountList" });
export const AccountResponse = z
  .object({ success: z.literal(true), account: Account })
  .meta({ id: "AccountResponse" });

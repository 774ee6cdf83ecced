import { isSupportedCountry } from "libphonenumber-js/max";
import { z } from "zod";
import { isoTime, nextCursor, PageQuery } from "../http/schemas.ts";
import { OrganizationParams } from "../organizations/organizations.schemas.ts";
import { NUMBER_TYPES } from "../ports/carrier.ts";
import { REQUEST_STATUSES } from "./request-states.ts";

const INTEGER_MAX = 2_147_483_647;

const NumberTypeName = z.enum(NUMBER_TYPES);
const Status = z.enum(REQUEST_STATUSES);
const country = z
  .string()
  .refine(isSupportedCountry, "is not the ISO 3166-1 code of a country with telephone numbers, such as DE")
  .meta({ description: "ISO 3166-1 alpha-2, in capitals.", example: "DE" });
/** What somebody else wants to know, in sentences. */
const sentences = z.string().trim().min(1, "must not be empty").max(2_000);

export const PhoneNumber = z
  .object({
    id: z.int().positive().meta({ example: 17 }),
    number: z.string().meta({ description: "E.164", example: "+493012345678" }),
    country: z.string().meta({ example: "DE" }),
    number_type: NumberTypeName,
    capabilities: z.object({ voice: z.boolean(), sms: z.boolean() }),
    status: z.enum(["active", "releasing", "released"]).meta({
      description: "`releasing`: on its way back to the carrier.",
    }),
    provider: z.enum(["manual", "twilio", "telnyx"]).meta({
      description: "`manual`: it was bought by hand.",
    }),
    organization_id: z.int().nullable().meta({ description: "null: it lies in the pool.", example: 42 }),
    voice_integration: z
      .object({ workspace: z.string().meta({ description: "Its original slug.", example: "support" }) })
      .nullable()
      .meta({ description: "Whose assistant answers it; null: nobody's yet.", example: null }),
    created_at: isoTime,
  })
  .meta({ id: "Number" });
export type PhoneNumber = z.output<typeof PhoneNumber>;

const requestFields = {
  id: z.uuid(),
  organization_id: z.int(),
  country: z.string().meta({ example: "DE" }),
  number_type: NumberTypeName,
  area_code: z.string().nullable().meta({ example: "30" }),
  quantity: z.int().meta({ example: 1 }),
  notes: z.string().nullable().meta({ example: null }),
  status: Status,
  status_reason: z.string().nullable().meta({ description: "Why it is so.", example: null }),
  next_step: z
    .string()
    .nullable()
    .meta({ description: "What you must do for it to go on; only with `action_required`.", example: null }),
  provider_status: z
    .string()
    .nullable()
    .meta({ description: "What the carrier said last, in its own words.", example: null }),
  numbers: z.array(PhoneNumber),
  history: z
    .array(
      z.object({
        status: Status,
        at: isoTime,
        by: z.enum(["partner", "superadmin", "carrier"]),
        reason: z.string().nullable(),
      }),
    )
    .meta({ description: "Every status it has had, the oldest first." }),
  created_at: isoTime,
  updated_at: isoTime,
};
export const NumberRequest = z.object(requestFields).meta({ id: "NumberRequest" });
export type NumberRequest = z.output<typeof NumberRequest>;

/** The same for whoever runs the installation. */
export const AdminNumberRequest = z
  .object({ ...requestFields, partner_id: z.uuid(), account_id: z.uuid() })
  .meta({ id: "AdminNumberRequest" });
export const AdminNumber = PhoneNumber.omit({ voice_integration: true })
  .extend({
    partner_id: z.uuid().nullable(),
    account_id: z.uuid().nullable(),
    provider_id: z
      .string()
      .nullable()
      .meta({ description: "The carrier's own id of it.", example: "PN0a1b" }),
    provider_status: z.string().nullable().meta({ example: "in-use" }),
    released_at: isoTime.nullable().meta({ example: null }),
  })
  .meta({ id: "AdminNumber" });
export type AdminNumber = z.output<typeof AdminNumber>;

export const CreateNumberRequest = z
  .strictObject({
    country,
    number_type: NumberTypeName,
    area_code: z
      .string()
      .regex(/^\d{1,6}$/, "takes digits only, without the leading 0")
      .optional()
      .meta({ example: "30" }),
    quantity: z.int().min(1).max(50).default(1),
    notes: sentences.optional().meta({ description: "For whoever fulfils it." }),
  })
  .meta({ id: "CreateNumberRequest" });
export type CreateNumberRequest = z.output<typeof CreateNumberRequest>;

export const AnswerNumberRequest = z
  .strictObject({ notes: sentences.meta({ description: "What was asked for, or where it is." }) })
  .meta({ id: "AnswerNumberRequest" });

const requestId = z.uuid().transform((id) => id.toLowerCase());
export const NumberRequestParams = OrganizationParams.extend({ requestId });
export const AdminRequestParams = z.strictObject({ requestId });
export const AdminNumberParams = z.strictObject({
  numberId: z
    .string()
    .regex(/^[1-9]\d{0,9}$/, "is not a positive integer")
    .transform(Number)
    .pipe(z.int().max(INTEGER_MAX)),
});

const organizationId = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, "is not a positive integer")
  .transform(Number)
  .pipe(z.int().max(INTEGER_MAX))
  .meta({ example: 42 });

export const NumberRequestQuery = PageQuery.extend({ status: Status.optional() });
export const NumberQuery = PageQuery.extend({
  organization_id: organizationId.optional(),
  scope: z
    .enum(["all", "linked", "unlinked"])
    .optional()
    .meta({ description: "Whether an assistant answers them; only with `organization_id`." }),
}).refine(({ scope, organization_id }) => scope === undefined || organization_id !== undefined, {
  path: ["scope"],
  message: "is only for one organization: send organization_id as well",
});
export type NumberQuery = z.output<typeof NumberQuery>;

export const AdminRequestQuery = NumberRequestQuery.extend({
  partner_id: z
    .uuid()
    .transform((id) => id.toLowerCase())
    .optional(),
  organization_id: organizationId.optional(),
});
export type AdminRequestQuery = z.output<typeof AdminRequestQuery>;
export const AdminNumberQuery = PageQuery.extend({
  scope: z
    .enum(["pool", "assigned", "all"])
    .default("pool")
    .meta({ description: "`pool`: those that nobody has." }),
  status: z.enum(["active", "releasing", "released"]).optional(),
});
export type AdminNumberQuery = z.output<typeof AdminNumberQuery>;

const reason = sentences.meta({
  description: "The partner reads it.",
  example: "We need a proof of address.",
});
const bundleSid = z
  .string()
  .regex(/^BU[0-9a-fA-F]{32}$/, "is not the id of a regulatory bundle, which is BU and 32 hex digits")
  .meta({ description: "Papers at the carrier that the numbers are ordered with." });
const addressSid = z
  .string()
  .regex(/^AD[0-9a-fA-F]{32}$/, "is not the id of an address, which is AD and 32 hex digits")
  .meta({ description: "Address at the carrier that the numbers are ordered with." });

export const ApproveNumberRequest = z.strictObject({ reason: reason.optional() }).meta({
  id: "ApproveNumberRequest",
});
export const RefuseNumberRequest = z.strictObject({ reason }).meta({ id: "RefuseNumberRequest" });
export const RequireAction = z
  .strictObject({
    reason,
    next_step: sentences
      .optional()
      .meta({ description: "What the partner must do, if the reason does not say." }),
  })
  .meta({ id: "RequireAction" });
export const ProvisionNumberRequest = z
  .strictObject({ bundle_sid: bundleSid.optional(), address_sid: addressSid.optional() })
  .meta({ id: "ProvisionNumberRequest" });
export type ProvisionNumberRequest = z.output<typeof ProvisionNumberRequest>;
export const AttachNumber = z
  .strictObject({
    number: z
      .string()
      .max(40)
      .meta({ description: "E.164: one of the pool, one of the carrier's, or one bought by hand." }),
    sms: z
      .boolean()
      .optional()
      .meta({ description: "Whether a number bought by hand takes text messages. Absent: it does not." }),
  })
  .meta({ id: "AttachNumber" });
export type AttachNumber = z.output<typeof AttachNumber>;

export const NumberRequestList = z
  .object({ number_requests: z.array(NumberRequest), next_cursor: nextCursor })
  .meta({ id: "NumberRequestList" });
export const NumberRequestFetched = z
  .object({ number_request: NumberRequest })
  .meta({ id: "NumberRequestFetched" });
export const NumberRequestResponse = z
  .object({ success: z.literal(true), number_request: NumberRequest })
  .meta({ id: "NumberRequestResponse" });
export const NumberList = z
  .object({ numbers: z.array(PhoneNumber), next_cursor: nextCursor })
  .meta({ id: "NumberList" });
export const AdminRequestList = z
  .object({ number_requests: z.array(AdminNumberRequest), next_cursor: nextCursor })
  .meta({ id: "AdminNumberRequestList" });
export const AdminRequestResponse = z
  .object({ success: z.literal(true), number_request: AdminNumberRequest })
  .meta({ id: "AdminNumberRequestResponse" });
export const AdminNumberList = z
  .object({ numbers: z.array(AdminNumber), next_cursor: nextCursor })
  .meta({ id: "AdminNumberList" });
export const AdminNumberResponse = z
  .object({ success: z.literal(true), number: AdminNumber })
  .meta({ id: "AdminNumberResponse" });

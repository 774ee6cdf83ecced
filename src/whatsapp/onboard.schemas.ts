import { z } from "zod";
import { CONNECTION_STATUSES } from "./whatsapp.tables.ts";

export const PAGE_MODES = ["new", "reauth", "coexistence"] as const;
export type PageMode = (typeof PAGE_MODES)[number];

/** What the onboarding is at, or failed at. */
export const ONBOARD_STEPS = [
  "exchange_code",
  "inspect_token",
  "verify_assets",
  "reserve_number",
  "subscribe",
  "register",
  "health",
  "finished",
] as const;
export type OnboardStep = (typeof ONBOARD_STEPS)[number];

/** What the page must bring so that it can go on; null: nothing, it is done or over. */
export const ONBOARD_NEEDS = ["new_code", "choose_number", "pin", "verification", "number", "wait"] as const;
export type OnboardNeed = (typeof ONBOARD_NEEDS)[number];

const metaId = z.string().regex(/^\d{1,32}$/, "is not an id of Meta's");

/** What the page sends. The ids are hints: what counts is what Meta says with the customer's own token. */
export const OnboardBody = z
  .strictObject({
    event: z
      .string()
      .max(100)
      .optional()
      .meta({ description: "How Meta's popup ended, such as `FINISH`.", example: "FINISH" }),
    code: z
      .string()
      .min(1)
      .max(2_000)
      .optional()
      .meta({ description: "Of the popup; good once, for 30 seconds." }),
    waba_id: metaId.optional().meta({ description: "The business account that was chosen." }),
    phone_number_id: metaId.optional().meta({ description: "The number that was chosen." }),
    business_id: metaId.optional(),
    redirect_uri: z
      .url()
      .max(500)
      .optional()
      .meta({ description: "Where the dialog led back to; none for the popup." }),
    pin: z
      .string()
      .regex(/^\d{6}$/, "takes six digits")
      .optional()
      .meta({ description: "The two-step PIN that the number has already.", example: "123456" }),
    verification: z
      .union([
        z.strictObject({ request: z.enum(["SMS", "VOICE"]).optional() }),
        z.strictObject({ code: z.string().regex(/^\d{6}$/, "takes six digits") }),
      ])
      .optional()
      .meta({ description: "Asks Meta for a code by SMS or call, or brings it." }),
  })
  .meta({ id: "WhatsAppOnboard" });
export type OnboardBody = z.output<typeof OnboardBody>;

export const OnboardAnswer = z
  .object({
    success: z.boolean(),
    status: z.enum(CONNECTION_STATUSES),
    step: z.enum(ONBOARD_STEPS).meta({ description: "The step that it is at, or failed at." }),
    needs: z.enum(ONBOARD_NEEDS).nullable().meta({ description: "What to send next; null: nothing." }),
    retryable: z.boolean().meta({ description: "The same request, without the code, may succeed." }),
    retry_after_seconds: z.int().optional(),
    numbers: z
      .array(
        z.object({
          phone_number_id: z.string(),
          display_phone_number: z.string(),
          verified_name: z.string().nullable(),
        }),
      )
      .optional()
      .meta({ description: "With `choose_number`: send one of these as `phone_number_id`." }),
    connection_id: z.uuid().nullable(),
    display_phone_number: z.string().nullable(),
    verified_name: z.string().nullable(),
    error: z
      .object({
        code: z.string(),
        message: z.string(),
        trace_id: z.string().nullable().meta({ description: "What Meta's support asks for." }),
      })
      .nullable(),
  })
  .meta({ id: "WhatsAppOnboarding" });
export type OnboardAnswer = z.output<typeof OnboardAnswer>;

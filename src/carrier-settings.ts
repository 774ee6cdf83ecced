import { z } from "zod";
import { VOICE_ENGINES } from "./ports/voice-engine.ts";
import { serviceUrl } from "./service-url.ts";

export interface TwilioConfig {
  accountSid: string;
  /** Signs what Twilio sends, too. */
  authToken: string;
  baseUrl: string;
}

export interface TelnyxConfig {
  apiKey: string;
  /** What Telnyx sends is signed with the key that belongs to it; base64. */
  publicKey: string;
  baseUrl: string;
}

/** Who holds calls, who carries them and sells numbers. */
export const carrierSettings = {
  VOICE_ENGINE: z.enum(VOICE_ENGINES).default("relay"),
  CARRIER: z.enum(["none", "twilio", "telnyx"]).default("none"),
  TWILIO_ACCOUNT_SID: z
    .string()
    .regex(/^AC[0-9a-fA-F]{32}$/, "is not AC and 32 hex digits")
    .optional(),
  TWILIO_AUTH_TOKEN: z.string().optional(),
  TWILIO_BASE_URL: serviceUrl.default("https://api.twilio.com"),
  TELNYX_API_KEY: z.string().optional(),
  TELNYX_PUBLIC_KEY: z.string().optional(),
  TELNYX_BASE_URL: serviceUrl.default("https://api.telnyx.com"),
};

const names = z.object(carrierSettings);
type Env = z.output<typeof names>;

/** For {@link z.ZodType.superRefine}: credentials without their carrier, and a carrier without its credentials. */
export function checkCarrier(env: Env, context: z.core.$RefinementCtx<Env>): void {
  const credentials = {
    twilio: ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"],
    telnyx: ["TELNYX_API_KEY", "TELNYX_PUBLIC_KEY"],
  } as const;
  for (const carrier of ["twilio", "telnyx"] as const) {
    const [set, missing] = [true, false].map((isSet) =>
      credentials[carrier].filter((name) => (env[name] !== undefined) === isSet),
    );
    if (env.CARRIER === carrier && missing?.[0] !== undefined)
      context.addIssue({ code: "custom", path: ["CARRIER"], message: `${carrier} needs ${missing[0]}` });
    if (env.CARRIER !== carrier && set?.[0] !== undefined)
      context.addIssue({
        code: "custom",
        path: [set[0]],
        message: `is set, but CARRIER is ${env.CARRIER}: set CARRIER=${carrier}, or unset it`,
      });
  }
}

export function twilioOf(env: Env): TwilioConfig | undefined {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken, TWILIO_BASE_URL: baseUrl } = env;
  return accountSid === undefined || authToken === undefined ? undefined : { accountSid, authToken, baseUrl };
}

export function telnyxOf(env: Env): TelnyxConfig | undefined {
  const { TELNYX_API_KEY: apiKey, TELNYX_PUBLIC_KEY: publicKey, TELNYX_BASE_URL: baseUrl } = env;
  return apiKey === undefined || publicKey === undefined ? undefined : { apiKey, publicKey, baseUrl };
}

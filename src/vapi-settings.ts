import { z } from "zod";
import type { VoiceEngineName } from "./ports/voice-engine.ts";
import { serviceUrl } from "./service-url.ts";

export interface VapiConfig {
  apiKey: string;
  baseUrl: string;
  /** What Vapi's messages must show. */
  webhookSecret: string;
}

/** Vapi as the engine of phone calls. */
export const vapiSettings = {
  VAPI_API_KEY: z.string().optional(),
  VAPI_WEBHOOK_SECRET: z.string().min(16, "is shorter than 16 characters").optional(),
  VAPI_BASE_URL: serviceUrl.default("https://api.vapi.ai"),
};

const names = z.object(vapiSettings);
type Env = z.output<typeof names> & { VOICE_ENGINE: VoiceEngineName; PUBLIC_URL?: string | undefined };

/**
 * For {@link z.ZodType.superRefine}. With another engine its credentials may stay: what is at Vapi still is removed
 * there, and calls that go on are logged.
 */
export function checkVapi(env: Env, context: z.core.$RefinementCtx<Env>): void {
  const refuse = (name: keyof Env, message: string) =>
    context.addIssue({ code: "custom", path: [name], message });
  const needed = ["VAPI_API_KEY", "VAPI_WEBHOOK_SECRET", "PUBLIC_URL"] as const;
  const missing = needed.find((name) => env[name] === undefined);
  if (env.VOICE_ENGINE === "vapi" && missing !== undefined) refuse("VOICE_ENGINE", `vapi needs ${missing}`);
  if ((env.VAPI_API_KEY === undefined) !== (env.VAPI_WEBHOOK_SECRET === undefined))
    refuse("VAPI_API_KEY", "is needed together with VAPI_WEBHOOK_SECRET");
  if (env.VAPI_API_KEY !== undefined && env.PUBLIC_URL === undefined)
    refuse("VAPI_API_KEY", "needs PUBLIC_URL, where Vapi reaches this installation");
}

export function vapiOf(env: Env): VapiConfig | undefined {
  const { VAPI_API_KEY: apiKey, VAPI_WEBHOOK_SECRET: webhookSecret, VAPI_BASE_URL: baseUrl } = env;
  return apiKey === undefined || webhookSecret === undefined ? undefined : { apiKey, baseUrl, webhookSecret };
}

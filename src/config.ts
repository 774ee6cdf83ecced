import { z } from "zod";
import {
  carrierSettings,
  checkCarrier,
  type TelnyxConfig,
  type TwilioConfig,
  telnyxOf,
  twilioOf,
} from "./carrier-settings.ts";
import { CHAT_PROVIDERS, type ChatProvider } from "./ports/chat-model.ts";
import type { VoiceEngineName } from "./ports/voice-engine.ts";
import { serviceUrl } from "./service-url.ts";
import { checkVapi, type VapiConfig, vapiOf, vapiSettings } from "./vapi-settings.ts";

const STORAGE_QUOTA_BYTES = 50 * 1024 ** 3;

/** A setting is wrong or contradicts another; `message` is one sentence for the operator. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
const EMBEDDING_PROVIDERS = ["openai-compatible", "ollama", "cohere", "voyage", "google"] as const;
const ROLES = ["http", "worker"] as const;

const wholeNumber = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d+$/, "is not a whole number")
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum));

const settings = z.object({
  HOST: z.string().default("127.0.0.1"),
  PORT: wholeNumber(0, 65_535).default(3000),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  DATA_DIR: z.string().default("./data"),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "does not begin with postgres://")
    .optional(),
  SECRET_KEY: z.string().min(32, "is shorter than 32 characters").optional(),
  SECRET_KEY_PREVIOUS: z.string().min(32, "is shorter than 32 characters").optional(),
  BOOTSTRAP: z.enum(["demo", "none"]).default("demo"),
  ROLES: z
    .string()
    .transform((text) => text.split(",").map((role) => role.trim()))
    .pipe(z.array(z.enum(ROLES)).min(1))
    .transform((roles) => [...new Set(roles)])
    .default([...ROLES]),
  LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
  LLM_PROVIDER: z.enum(["none", ...CHAT_PROVIDERS]).default("none"),
  LLM_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  LLM_API_KEY: z.string().optional(),
  LLM_MODEL: z.string().optional(),
  LLM_FALLBACK_MODELS: z
    .string()
    .transform((text) => text.split(",").map((name) => name.trim()))
    .pipe(z.array(z.string().min(1, "has an empty name")).max(5))
    .optional(),
  LLM_CONTEXT_TOKENS: wholeNumber(1_024, 10_000_000).optional(),
  LLM_MAX_OUTPUT_TOKENS: wholeNumber(16, 1_000_000).optional(),
  EMBEDDING_PROVIDER: z.enum(["none", ...EMBEDDING_PROVIDERS]).default("none"),
  EMBEDDING_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  EMBEDDING_API_KEY: z.string().optional(),
  EMBEDDING_MODEL: z.string().optional(),
  EMBEDDING_DIMENSIONS: wholeNumber(1, 16_000).optional(),
  RERANK_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  RERANK_API_KEY: z.string().optional(),
  RERANK_MODEL: z.string().optional(),
  TRANSCRIPTION_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  TRANSCRIPTION_API_KEY: z.string().optional(),
  TRANSCRIPTION_MODEL: z.string().optional(),
  META_APP_ID: z.string().regex(/^\d+$/, "is not a number, as Meta's app ids are").optional(),
  META_APP_SECRET: z.string().optional(),
  META_APP_SECRET_PREVIOUS: z.string().optional(),
  META_CONFIG_ID: z.string().optional(),
  META_WEBHOOK_VERIFY_TOKEN: z.string().min(16, "is shorter than 16 characters").optional(),
  META_GRAPH_BASE_URL: serviceUrl.default("https://graph.facebook.com"),
  META_GRAPH_VERSION: z
    .string()
    .regex(/^v\d+\.\d+$/, "is not a version such as v25.0")
    .default("v25.0"),
  META_SDK_URL: serviceUrl.default("https://connect.facebook.net/en_US/sdk.js"),
  META_DIALOG_ORIGINS: z
    .string()
    .transform((text) => text.split(",").map((origin) => origin.trim()))
    .pipe(z.array(serviceUrl).min(1))
    .optional(),
  META_SIGNUP_EXTRAS: z
    .string()
    .transform((text, context) => {
      try {
        return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
      } catch {
        context.addIssue({ code: "custom", message: "is not a JSON object" });
        return z.NEVER;
      }
    })
    .default({ setup: {} }),
  ...carrierSettings,
  ...vapiSettings,
  FILE_STORE: z.enum(["disk", "s3"]).default("disk"),
  S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  S3_REGION: z.string().optional(),
  S3_BUCKET: z.string().optional(),
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  MAX_UPLOAD_MB: wholeNumber(1, 10_000).default(200),
  RATE_LIMIT_PER_MINUTE: wholeNumber(0, 1_000_000_000).default(6_000_000),
});

export interface Config {
  host: string;
  port: number;
  /** Where partners reach this installation, without a slash at the end. */
  publicUrl: string | undefined;
  dataDir: string;
  /** `undefined`: the embedded database in `dataDir`. */
  databaseUrl: string | undefined;
  secretKey: string | undefined;
  secretKeyPrevious: string | undefined;
  bootstrap: "demo" | "none";
  roles: readonly ("http" | "worker")[];
  logLevel: (typeof LOG_LEVELS)[number];
  /** The installation's language model. `undefined`: none, answers are passages. */
  llm: LlmConfig | undefined;
  /** `undefined`: none, search is lexical. */
  embedding:
    | {
        provider: (typeof EMBEDDING_PROVIDERS)[number];
        model: string;
        baseUrl: string | undefined;
        apiKey: string | undefined;
        dimensions: number | undefined;
      }
    | undefined;
  rerank: { baseUrl: string; apiKey: string | undefined; model: string | undefined } | undefined;
  transcription: { model: string; baseUrl: string | undefined; apiKey: string | undefined } | undefined;
  /** Meta's app. `undefined`: WhatsApp cannot be connected. */
  meta: MetaConfig | undefined;
  /** Who holds the calls of voice integrations that are made from now on. */
  voiceEngine: VoiceEngineName;
  /** Who carries calls and, in the case of Twilio, sells numbers. */
  carrier: "none" | "twilio" | "telnyx";
  /** Set when `carrier` is `twilio`. */
  twilio: TwilioConfig | undefined;
  /** Set when `carrier` is `telnyx`. */
  telnyx: TelnyxConfig | undefined;
  /** Vapi's account; set when `voiceEngine` is `vapi`. */
  vapi: VapiConfig | undefined;
  /** `undefined`: files lie in `dataDir`. */
  s3:
    | { endpoint: string; region: string; bucket: string; accessKeyId: string; secretAccessKey: string }
    | undefined;
  maxUploadBytes: number;
  /** What the originals of one organization may take together. */
  storageQuotaBytes: number;
  /** Requests a minute for each key; 0: no limit. */
  rateLimitPerMinute: number;
}

export interface MetaConfig {
  appId: string;
  appSecret: string;
  /** Until Meta signs with the new one, both are accepted. */
  appSecretPrevious: string | undefined;
  /** Of Facebook Login for Business. */
  configId: string;
  webhookVerifyToken: string;
  graphBaseUrl: string;
  /** `v25.0` */
  graphVersion: string;
  /** The JavaScript SDK that the connect page loads. */
  sdkUrl: string;
  /**
   * Origins of the sign-up dialog, the first being where it is opened. `undefined`: `https://www.facebook.com`, and
   * messages are taken from facebook.com and all that is under it.
   */
  dialogOrigins: readonly string[] | undefined;
  /** `extras` of `FB.login`. */
  signupExtras: Readonly<Record<string, unknown>>;
}

export interface LlmConfig {
  provider: ChatProvider;
  model: string;
  baseUrl: string | undefined;
  apiKey: string | undefined;
  contextTokens: number | undefined;
  maxOutputTokens: number | undefined;
  /** Asked in this order when the chosen model fails. */
  fallbacks: readonly { provider: ChatProvider; model: string }[];
}

/**
 * Reads the settings; an empty one counts as unset.
 *
 * @throws {@link ConfigError} for a wrong value and for settings that contradict each other
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = settings.superRefine(checkCarrier).superRefine(checkVapi).safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigError(`${String(issue?.path[0])}: ${issue?.message}`);
  }
  const env = parsed.data;
  refuseContradictions(env);
  return {
    host: env.HOST,
    port: env.PORT,
    publicUrl: env.PUBLIC_URL?.replace(/\/+$/, ""),
    dataDir: env.DATA_DIR,
    databaseUrl: env.DATABASE_URL,
    secretKey: env.SECRET_KEY,
    secretKeyPrevious: env.SECRET_KEY_PREVIOUS,
    bootstrap: env.BOOTSTRAP,
    roles: env.ROLES,
    logLevel: env.LOG_LEVEL,
    llm: llmOf(env),
    embedding: embeddingOf(env),
    rerank:
      env.RERANK_BASE_URL === undefined
        ? undefined
        : { baseUrl: env.RERANK_BASE_URL, apiKey: env.RERANK_API_KEY, model: env.RERANK_MODEL },
    transcription:
      env.TRANSCRIPTION_MODEL === undefined
        ? undefined
        : {
            model: env.TRANSCRIPTION_MODEL,
            baseUrl: env.TRANSCRIPTION_BASE_URL,
            apiKey: env.TRANSCRIPTION_API_KEY,
          },
    meta: metaOf(env),
    voiceEngine: env.VOICE_ENGINE,
    carrier: env.CARRIER,
    twilio: twilioOf(env),
    telnyx: telnyxOf(env),
    vapi: vapiOf(env),
    s3: s3Of(env),
    maxUploadBytes: env.MAX_UPLOAD_MB * 1024 * 1024,
    storageQuotaBytes: STORAGE_QUOTA_BYTES,
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE,
  };
}

type Env = z.output<typeof settings>;

const KEYED_PROVIDERS = ["openai", "anthropic", "google", "mistral", "azure"];

function llmOf(env: Env): LlmConfig | undefined {
  const { LLM_PROVIDER: provider, LLM_BASE_URL: baseUrl, LLM_API_KEY: apiKey, LLM_MODEL: model } = env;
  if (provider === "none") {
    const [set] = Object.entries(env).filter(
      ([name, value]) => name.startsWith("LLM_") && name !== "LLM_PROVIDER" && value !== undefined,
    );
    if (set === undefined) return undefined;
    throw new ConfigError(`${set[0]} is set, but LLM_PROVIDER is none: name the provider, or unset it.`);
  }
  if (model === undefined) throw new ConfigError("LLM_PROVIDER needs LLM_MODEL.");
  if (KEYED_PROVIDERS.includes(provider) && apiKey === undefined)
    throw new ConfigError(`LLM_PROVIDER=${provider} needs LLM_API_KEY.`);
  if (["openai-compatible", "azure"].includes(provider) && baseUrl === undefined) {
    const example = provider === "azure" ? "https://<resource>.openai.azure.com" : "http://127.0.0.1:8000/v1";
    throw new ConfigError(`LLM_PROVIDER=${provider} needs LLM_BASE_URL, such as ${example}.`);
  }
  return {
    provider,
    model,
    baseUrl,
    apiKey,
    contextTokens: env.LLM_CONTEXT_TOKENS,
    maxOutputTokens: env.LLM_MAX_OUTPUT_TOKENS,
    fallbacks: (env.LLM_FALLBACK_MODELS ?? []).map((name) => fallbackOf(name, provider)),
  };
}

/** Names of models may hold slashes: only a provider's name before the first one is taken for a provider. */
function fallbackOf(name: string, provider: ChatProvider): { provider: ChatProvider; model: string } {
  const slash = name.indexOf("/");
  const named = CHAT_PROVIDERS.find((known) => known === name.slice(0, Math.max(0, slash)));
  return named === undefined ? { provider, model: name } : { provider: named, model: name.slice(slash + 1) };
}

function embeddingOf(env: Env): Config["embedding"] {
  if (env.EMBEDDING_PROVIDER === "none") return undefined;
  if (env.EMBEDDING_MODEL === undefined) throw new ConfigError("EMBEDDING_PROVIDER needs EMBEDDING_MODEL.");
  return {
    provider: env.EMBEDDING_PROVIDER,
    model: env.EMBEDDING_MODEL,
    baseUrl: env.EMBEDDING_BASE_URL,
    apiKey: env.EMBEDDING_API_KEY,
    dimensions: env.EMBEDDING_DIMENSIONS,
  };
}

function metaOf(env: Env): MetaConfig | undefined {
  const { META_APP_ID: appId, META_APP_SECRET: appSecret, META_CONFIG_ID: configId } = env;
  const { META_WEBHOOK_VERIFY_TOKEN: webhookVerifyToken } = env;
  if (!appId && !appSecret && !configId && !webhookVerifyToken) return undefined;
  if (!appId || !appSecret || !configId || !webhookVerifyToken) {
    throw new ConfigError(
      "WhatsApp needs META_APP_ID, META_APP_SECRET, META_CONFIG_ID and META_WEBHOOK_VERIFY_TOKEN together.",
    );
  }
  return {
    appId,
    appSecret,
    appSecretPrevious: env.META_APP_SECRET_PREVIOUS,
    configId,
    webhookVerifyToken,
    graphBaseUrl: env.META_GRAPH_BASE_URL,
    graphVersion: env.META_GRAPH_VERSION,
    sdkUrl: env.META_SDK_URL,
    dialogOrigins: env.META_DIALOG_ORIGINS,
    signupExtras: env.META_SIGNUP_EXTRAS,
  };
}

function s3Of(env: Env): Config["s3"] {
  if (env.FILE_STORE === "disk") return undefined;
  const { S3_ENDPOINT: endpoint, S3_REGION: region, S3_BUCKET: bucket } = env;
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!endpoint || !region || !bucket || !accessKeyId || !secretAccessKey) {
    throw new ConfigError(
      "FILE_STORE=s3 needs S3_ENDPOINT, S3_REGION, S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.",
    );
  }
  return { endpoint, region, bucket, accessKeyId, secretAccessKey };
}

function refuseContradictions(env: Env): void {
  if (env.DATABASE_URL !== undefined && env.SECRET_KEY === undefined) {
    throw new ConfigError(
      "DATABASE_URL needs SECRET_KEY, the same in every process: 32 or more random characters (openssl rand -hex 32).",
    );
  }
  if (env.DATABASE_URL === undefined && env.ROLES.length < ROLES.length) {
    throw new ConfigError(
      "ROLES can be split over processes only with DATABASE_URL; the embedded database has one process: leave it unset.",
    );
  }
  if (env.FILE_STORE === "disk" && env.S3_BUCKET !== undefined) {
    throw new ConfigError("S3_BUCKET is set, but FILE_STORE is disk: set FILE_STORE=s3, or unset it.");
  }
  if (env.TRANSCRIPTION_BASE_URL !== undefined && env.TRANSCRIPTION_MODEL === undefined) {
    throw new ConfigError("TRANSCRIPTION_BASE_URL needs TRANSCRIPTION_MODEL.");
  }
  if (env.RERANK_MODEL !== undefined && env.RERANK_BASE_URL === undefined) {
    throw new ConfigError("RERANK_MODEL needs RERANK_BASE_URL.");
  }
  if (env.EMBEDDING_PROVIDER === "none" && env.EMBEDDING_MODEL !== undefined) {
    throw new ConfigError(
      "EMBEDDING_MODEL is set, but EMBEDDING_PROVIDER is none: name the provider, or unset it.",
    );
  }
  if (env.SECRET_KEY_PREVIOUS !== undefined && env.SECRET_KEY === undefined) {
    throw new ConfigError("SECRET_KEY_PREVIOUS is set, but there is no SECRET_KEY to replace it with.");
  }
  if (env.SECRET_KEY_PREVIOUS !== undefined && env.SECRET_KEY_PREVIOUS === env.SECRET_KEY) {
    throw new ConfigError(
      "SECRET_KEY_PREVIOUS equals SECRET_KEY: set it to the key used before, or leave it unset.",
    );
  }
}

import { describe, expect, test } from "vitest";
import { ConfigError, readConfig } from "./config.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const OLLAMA = { LLM_PROVIDER: "ollama", LLM_MODEL: "llama3.2" };
const SID = `AC${"0123456789abcdef".repeat(2)}`;
const TWILIO = { CARRIER: "twilio", TWILIO_ACCOUNT_SID: SID, TWILIO_AUTH_TOKEN: "t" };
const URL = "postgres://lumenone@localhost/lumenone";

describe("settings", () => {
  test("have defaults that start a server with the embedded database", () => {
    expect(readConfig({})).toEqual({
      host: "127.0.0.1",
      port: 3000,
      publicUrl: undefined,
      dataDir: "./data",
      databaseUrl: undefined,
      secretKey: undefined,
      secretKeyPrevious: undefined,
      bootstrap: "demo",
      roles: ["http", "worker"],
      logLevel: "info",
      embedding: undefined,
      rerank: undefined,
      transcription: undefined,
      carrier: "none",
      voiceEngine: "relay",
      s3: undefined,
      maxUploadBytes: 200 * 1024 * 1024,
      storageQuotaBytes: 50 * 1024 ** 3,
      rateLimitPerMinute: 6_000_000,
    });
  });

  test("that are empty count as unset", () => {
    const names = [
      "HOST",
      "PORT",
      "PUBLIC_URL",
      "DATA_DIR",
      "DATABASE_URL",
      "SECRET_KEY",
      "ROLES",
      "BOOTSTRAP",
    ];
    expect(readConfig(Object.fromEntries(names.map((name) => [name, ""])))).toEqual(readConfig({}));
  });

  test("are taken as they are given", () => {
    expect(
      readConfig({
        HOST: "0.0.0.0",
        PORT: "0",
        PUBLIC_URL: "https://ai.example.com//",
        DATABASE_URL: URL,
        SECRET_KEY: KEY,
        SECRET_KEY_PREVIOUS: `${KEY}0`,
        BOOTSTRAP: "none",
        ROLES: "worker, worker",
        RATE_LIMIT_PER_MINUTE: "0",
      }),
    ).toMatchObject({
      port: 0,
      publicUrl: "https://ai.example.com",
      secretKeyPrevious: `${KEY}0`,
      bootstrap: "none",
      roles: ["worker"],
      rateLimitPerMinute: 0,
    });
  });

  test("name the carrier and what belongs to it", () => {
    expect(readConfig(TWILIO)).toMatchObject({
      carrier: "twilio",
      twilio: { accountSid: SID, authToken: "t", baseUrl: "https://api.twilio.com" },
      telnyx: undefined,
    });
    const loopback = { ...TWILIO, TWILIO_BASE_URL: "http://127.0.0.1:9/" };
    expect(readConfig(loopback).twilio?.baseUrl).toBe("http://127.0.0.1:9");
    expect(readConfig({ CARRIER: "telnyx", TELNYX_API_KEY: "k", TELNYX_PUBLIC_KEY: "p" })).toMatchObject({
      twilio: undefined,
      telnyx: { apiKey: "k", publicKey: "p", baseUrl: "https://api.telnyx.com" },
    });
  });

  test("name Vapi and what belongs to it, also beside another engine", () => {
    const given = {
      VAPI_API_KEY: "k",
      VAPI_WEBHOOK_SECRET: "0123456789abcdef",
      PUBLIC_URL: "https://ai.example.com",
    };
    const vapi = { apiKey: "k", webhookSecret: "0123456789abcdef", baseUrl: "https://api.vapi.ai" };
    expect(readConfig(given)).toMatchObject({ voiceEngine: "relay", vapi });
    expect(readConfig({ ...given, VOICE_ENGINE: "vapi" })).toMatchObject({ voiceEngine: "vapi", vapi });
    expect(readConfig({}).vapi).toBeUndefined();
  });

  const refused: [string, Record<string, string>, RegExp][] = [
    ["a port that is no number", { PORT: "http" }, /^PORT: is not a whole number$/],
    ["a port that does not exist", { PORT: "65536" }, /^PORT: /],
    ["a negative port", { PORT: "-1" }, /^PORT: /],
    ["another database", { DATABASE_URL: "mysql://x" }, /^DATABASE_URL: does not begin with postgres:\/\/$/],
    ["a short key", { SECRET_KEY: "short" }, /^SECRET_KEY: is shorter than 32 characters$/],
    ["an address without http", { PUBLIC_URL: "ftp://x" }, /^PUBLIC_URL: /],
    ["an unknown role", { ROLES: "http,cook" }, /^ROLES: /],
    ["no role", { ROLES: "," }, /^ROLES: /],
    ["an unknown level", { LOG_LEVEL: "loud" }, /^LOG_LEVEL: /],
    ["an unknown demo", { BOOTSTRAP: "some" }, /^BOOTSTRAP: /],
    ["PostgreSQL without a key", { DATABASE_URL: URL }, /^DATABASE_URL needs SECRET_KEY/],
    [
      "one role of the embedded database",
      { ROLES: "worker" },
      /^ROLES can be split .* only with DATABASE_URL/,
    ],
    ["the same role twice", { ROLES: "http,http" }, /^ROLES can be split .* only with DATABASE_URL/],
    [
      "an old key without a new one",
      { SECRET_KEY_PREVIOUS: KEY },
      /there is no SECRET_KEY to replace it with/,
    ],
    [
      "a provider without a model",
      { EMBEDDING_PROVIDER: "ollama" },
      /^EMBEDDING_PROVIDER needs EMBEDDING_MODEL/,
    ],
    ["a model without a provider", { EMBEDDING_MODEL: "m" }, /^EMBEDDING_MODEL is set, but/],
    ["a language model without its name", { LLM_PROVIDER: "ollama" }, /^LLM_PROVIDER needs LLM_MODEL/],
    ["an unknown language model", { LLM_PROVIDER: "OpenAI", LLM_MODEL: "m" }, /^LLM_PROVIDER: /],
    ["a language model's name alone", { LLM_MODEL: "m" }, /^LLM_MODEL is set, but LLM_PROVIDER is none/],
    ["fall-backs of nothing", { LLM_FALLBACK_MODELS: "m" }, /^LLM_FALLBACK_MODELS is set, but/],
    [
      "a fall-back without a name",
      { ...OLLAMA, LLM_FALLBACK_MODELS: "m,," },
      /^LLM_FALLBACK_MODELS: has an empty/,
    ],
    [
      "a key that is missing",
      { LLM_PROVIDER: "openai", LLM_MODEL: "m" },
      /^LLM_PROVIDER=openai needs LLM_API_KEY/,
    ],
    [
      "an address that is missing",
      { LLM_PROVIDER: "openai-compatible", LLM_MODEL: "m" },
      /^LLM_PROVIDER=openai-compatible needs LLM_BASE_URL, such as http/,
    ],
    [
      "Azure without a resource",
      { LLM_PROVIDER: "azure", LLM_MODEL: "m", LLM_API_KEY: "k" },
      /^LLM_PROVIDER=azure needs LLM_BASE_URL, such as https:\/\/<resource>/,
    ],
    ["hardly any context", { ...OLLAMA, LLM_CONTEXT_TOKENS: "100" }, /^LLM_CONTEXT_TOKENS: /],
    ["a bucket without its keys", { FILE_STORE: "s3", S3_BUCKET: "b" }, /^FILE_STORE=s3 needs S3_ENDPOINT/],
    ["a bucket that is not used", { S3_BUCKET: "b" }, /^S3_BUCKET is set, but FILE_STORE is disk/],
    [
      "a transcriber without a model",
      { TRANSCRIPTION_BASE_URL: "http://x.example" },
      /^TRANSCRIPTION_BASE_URL needs/,
    ],
    [
      "Twilio without a token",
      { CARRIER: "twilio", TWILIO_ACCOUNT_SID: SID },
      /^CARRIER: twilio needs TWILIO_AUTH_TOKEN$/,
    ],
    [
      "Telnyx without a key",
      { CARRIER: "telnyx", TELNYX_PUBLIC_KEY: "k" },
      /^CARRIER: telnyx needs TELNYX_API_KEY$/,
    ],
    [
      "an account of Twilio that is none",
      { ...TWILIO, TWILIO_ACCOUNT_SID: "AC1" },
      /^TWILIO_ACCOUNT_SID: is not AC/,
    ],
    [
      "a token without its carrier",
      { TWILIO_AUTH_TOKEN: "t" },
      /^TWILIO_AUTH_TOKEN: is set, but CARRIER is none: set CARRIER=twilio/,
    ],
    ["Vapi without its key", { VOICE_ENGINE: "vapi" }, /^VOICE_ENGINE: vapi needs VAPI_API_KEY$/],
    [
      "Vapi without its secret",
      { VOICE_ENGINE: "vapi", VAPI_API_KEY: "k", PUBLIC_URL: "https://ai.example.com" },
      /^VOICE_ENGINE: vapi needs VAPI_WEBHOOK_SECRET$/,
    ],
    [
      "Vapi that does not know where we are",
      { VAPI_API_KEY: "k", VAPI_WEBHOOK_SECRET: "0123456789abcdef" },
      /^VAPI_API_KEY: needs PUBLIC_URL/,
    ],
    ["a short secret", { VAPI_WEBHOOK_SECRET: "short" }, /^VAPI_WEBHOOK_SECRET: is shorter than 16/],
    ["two carriers", { ...TWILIO, TELNYX_API_KEY: "k" }, /^TELNYX_API_KEY: is set, but CARRIER is twilio/],
    [
      "a carrier in the clear",
      { ...TWILIO, TWILIO_BASE_URL: "http://api.example.com" },
      /^TWILIO_BASE_URL: is not https$/,
    ],
    ["a reranker without an address", { RERANK_MODEL: "m" }, /^RERANK_MODEL needs RERANK_BASE_URL/],
    ["no upload at all", { MAX_UPLOAD_MB: "0" }, /^MAX_UPLOAD_MB: /],
    [
      "an old key that is the new one",
      { SECRET_KEY: KEY, SECRET_KEY_PREVIOUS: KEY },
      /^SECRET_KEY_PREVIOUS equals/,
    ],
  ];

  test("name a language model and those to fall back on", () => {
    const { llm } = readConfig({
      ...OLLAMA,
      LLM_BASE_URL: "http://127.0.0.1:11434",
      LLM_CONTEXT_TOKENS: "8192",
      LLM_FALLBACK_MODELS: "phi4, hf.co/org/model:Q4 ,mistral/mistral-small-latest",
    });
    expect(llm).toEqual({
      provider: "ollama",
      model: "llama3.2",
      baseUrl: "http://127.0.0.1:11434",
      apiKey: undefined,
      contextTokens: 8_192,
      maxOutputTokens: undefined,
      fallbacks: [
        { provider: "ollama", model: "phi4" },
        { provider: "ollama", model: "hf.co/org/model:Q4" },
        { provider: "mistral", model: "mistral-small-latest" },
      ],
    });
  });

  test.each(refused)("with %s are refused in one line", (_what, environment, sentence) => {
    const read = () => readConfig(environment);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(sentence);
    expect(read).not.toThrow(/\n/);
  });

  test("that are refused do not show a secret", () => {
    expect(() => readConfig({ SECRET_KEY: "hunter2" })).not.toThrow(/hunter2/);
    expect(() => readConfig({ DATABASE_URL: "mysql://me:hunter2@x" })).not.toThrow(/hunter2/);
  });
});

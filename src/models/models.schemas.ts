import { z } from "zod";
import { isoTime, nextCursor } from "../http/schemas.ts";
import { CHAT_PROVIDERS } from "../ports/chat-model.ts";

const MODELS_MAX = 200;

export const modelProviderName = z.enum(CHAT_PROVIDERS).meta({ example: "mistral" });

const modelName = z.string().trim().min(1).max(200);
const shown = {
  provider: modelProviderName,
  base_url: z.string().min(1).max(2_000).nullable().meta({
    description: "Where it is, on the public internet; null: the provider's own address.",
    example: null,
  }),
  models: z
    .array(modelName)
    .min(1)
    .max(MODELS_MAX)
    .nullable()
    .meta({
      description:
        "The models that workspaces may choose, the first being the default; null: all that the provider lists.",
      example: ["mistral-large-latest"],
    }),
  context_tokens: z.int().min(1_024).max(10_000_000).nullable().meta({
    description:
      "Tokens of prompt and answer together that the models hold; null: the installation's default.",
    example: 128_000,
  }),
  max_output_tokens: z.int().min(16).max(1_000_000).nullable().meta({
    description: "Tokens that an answer may have; null: the installation's default.",
    example: null,
  }),
};

export const ModelProvider = z
  .object({
    ...shown,
    has_api_key: z.boolean().meta({ description: "The key itself is never shown.", example: true }),
    created_at: isoTime,
    updated_at: isoTime,
  })
  .meta({ id: "ModelProvider" });
export type ModelProvider = z.output<typeof ModelProvider>;

export const PutModelProvider = z
  .strictObject({
    provider: modelProviderName,
    api_key: z
      .string()
      .min(1)
      .max(8_000)
      .regex(/^[\x21-\x7e]+$/, "takes printable ASCII without spaces")
      .nullable()
      .optional()
      .meta({ description: "Write-only. Not needed by servers of one's own.", example: "s3cr3t" }),
    base_url: shown.base_url.optional(),
    models: shown.models.optional(),
    context_tokens: shown.context_tokens.optional(),
    max_output_tokens: shown.max_output_tokens.optional(),
  })
  .meta({ id: "PutModelProvider" });
export type PutModelProvider = z.output<typeof PutModelProvider>;

export const ModelProviderParams = z.strictObject({ provider: modelProviderName });

export const ModelProviderPage = z
  .object({ model_providers: z.array(ModelProvider), next_cursor: nextCursor })
  .meta({ id: "ModelProviderPage" });

export const ModelProviderResponse = z
  .object({ success: z.literal(true), model_provider: ModelProvider })
  .meta({ id: "ModelProviderResponse" });

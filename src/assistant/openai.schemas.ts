import { z } from "zod";

const TEXT_CHARS_MAX = 200_000;
const text = z.string().max(TEXT_CHARS_MAX);
const textPart = z.looseObject({ type: z.literal("text"), text });
const imagePart = z.looseObject({
  type: z.literal("image_url"),
  image_url: z.looseObject({
    url: z.string().regex(/^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}$/, {
      message: "is not a picture as a data URL (PNG, JPEG, GIF or WebP in base64)",
    }),
  }),
});
const toolCall = z.looseObject({
  id: z.string().min(1).max(200),
  type: z.literal("function"),
  function: z.looseObject({ name: z.string().min(1).max(64), arguments: text }),
});

const Message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.literal("system"), content: z.union([text, z.array(textPart)]) }),
  z.looseObject({ role: z.literal("developer"), content: z.union([text, z.array(textPart)]) }),
  z.looseObject({
    role: z.literal("user"),
    content: z.union([
      text,
      z
        .array(z.discriminatedUnion("type", [textPart, imagePart]))
        .min(1)
        .max(20),
    ]),
  }),
  z.looseObject({
    role: z.literal("assistant"),
    content: z.union([text, z.array(textPart)]).nullish(),
    tool_calls: z.array(toolCall).max(64).nullish(),
  }),
  z.looseObject({
    role: z.literal("tool"),
    tool_call_id: z.string().min(1).max(200),
    content: z.union([text, z.array(textPart)]),
  }),
]);
export type Message = z.output<typeof Message>;

const Tool = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({
    name: z
      .string()
      .regex(/^[a-zA-Z0-9_-]{1,64}$/, "takes letters, digits, hyphens and underscores, 64 at most"),
    description: z.string().max(10_000).nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
  }),
});

/** Fields that are not named here are taken and not looked at: clients send many. */
export const CompletionRequest = z
  .looseObject({
    model: z
      .string()
      .min(1)
      .max(80)
      .meta({ description: "The workspace, by its original slug.", example: "support" }),
    messages: z
      .array(Message)
      .min(1)
      .max(1_000)
      .refine((messages) => messages.some(({ role }) => role === "user"), "needs a message of the user"),
    stream: z.boolean().nullish(),
    stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    max_tokens: z.int().min(1).nullish(),
    max_completion_tokens: z.int().min(1).nullish(),
    stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(4)]).nullish(),
    tools: z.array(Tool).max(128).nullish(),
    tool_choice: z
      .union([
        z.enum(["auto", "none", "required"]),
        z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: z.string() }) }),
      ])
      .nullish(),
    n: z.literal(1).nullish(),
    user: z
      .string()
      .min(1)
      .max(255)
      .nullish()
      .meta({ description: "Keeps the conversations of your users apart in the history." }),
  })
  .meta({ id: "ChatCompletionRequest" });
export type CompletionRequest = z.output<typeof CompletionRequest>;

const Usage = z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() });
const AnsweredCall = z.object({
  id: z.string(),
  type: z.literal("function"),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

export const Completion = z
  .object({
    id: z.string(),
    object: z.literal("chat.completion"),
    created: z.int(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.int(),
        message: z.object({
          role: z.literal("assistant"),
          content: z.string().nullable(),
          refusal: z.null(),
          tool_calls: z.array(AnsweredCall).optional(),
        }),
        logprobs: z.null(),
        finish_reason: z.enum(["stop", "length", "tool_calls"]),
      }),
    ),
    usage: Usage,
  })
  .meta({ id: "ChatCompletion" });

export const ModelList = z
  .object({
    object: z.literal("list"),
    data: z.array(
      z.object({
        id: z.string().meta({ description: "A workspace's original slug.", example: "support" }),
        object: z.literal("model"),
        created: z.int(),
        owned_by: z.string().meta({ description: "Its organization's original slug.", example: "acme" }),
      }),
    ),
  })
  .meta({ id: "ModelList" });

const INPUTS_MAX = 2_048;
const input = z.string().min(1, "must not be empty").max(100_000);
export const EmbeddingRequest = z
  .looseObject({
    input: z.union([input, z.array(input).min(1).max(INPUTS_MAX)]).meta({ example: "When do you deliver?" }),
    model: z.string().min(1).max(200).meta({
      description: "Anything: the installation's embedding model answers.",
      example: "text-embedding-3-small",
    }),
    encoding_format: z.enum(["float", "base64"]).nullish(),
    dimensions: z.int().min(1).nullish().meta({ description: "Refused when it is not the model's own." }),
  })
  .meta({ id: "EmbeddingRequest" });
export type EmbeddingRequest = z.output<typeof EmbeddingRequest>;

export const EmbeddingList = z
  .object({
    object: z.literal("list"),
    data: z.array(
      z.object({
        object: z.literal("embedding"),
        index: z.int(),
        embedding: z
          .union([z.array(z.number()), z.string()])
          .meta({ description: "With `base64`: little-endian 32-bit floats." }),
      }),
    ),
    model: z.string(),
    usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
  })
  .meta({ id: "EmbeddingList" });

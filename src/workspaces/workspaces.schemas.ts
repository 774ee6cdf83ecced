import { z } from "zod";
import { displayName, isoTime, nextCursor, originalSlug, pathSlug } from "../http/schemas.ts";
import { CHAT_PROVIDERS } from "../ports/chat-model.ts";
import { isHandoffNumber } from "./handoff-number.ts";

const provider = z
  .enum(CHAT_PROVIDERS)
  .nullable()
  .meta({ description: "null: the installation's own choice.", example: null });
const model = z.string().min(1).max(200).nullable().meta({
  description: "The provider's name for the model; null: the installation's own choice.",
  example: null,
});
const prompt = z.string().max(50_000).nullable();

const settings = {
  openAiTemp: z
    .number()
    .min(0)
    .max(2)
    .nullable()
    .meta({ description: "Temperature; null: the model's default.", example: 0.7 }),
  openAiHistory: z
    .int()
    .min(0)
    .max(100)
    .meta({ description: "How many earlier turns the model sees.", example: 20 }),
  openAiPrompt: prompt.meta({
    description: "The system prompt; null: the built-in one.",
    example: "Answer briefly.",
  }),
  similarityThreshold: z
    .number()
    .min(0)
    .max(1)
    .meta({ description: "A passage must score at least this.", example: 0.25 }),
  topN: z.int().min(1).max(50).meta({ description: "How many passages an answer may rest on.", example: 4 }),
  chatMode: z.enum(["automatic", "chat", "query"]),
  chatProvider: provider,
  chatModel: model,
  agentProvider: provider,
  agentModel: model,
  queryRefusalResponse: z.string().min(1).max(5_000).nullable().meta({
    description: "What it says in `query` mode when nothing relevant was found; null: the built-in text.",
    example: null,
  }),
  vectorSearchMode: z.enum(["default", "rerank"]),
  retention_days: z.int().min(1).max(3650).nullable().meta({
    description: "Conversations are removed when they are older than so many days; null: they are kept.",
    example: null,
  }),
  handoff_number: z
    .string()
    .refine(isHandoffNumber, "is not a telephone number in E.164, such as +493012345678, that may be dialled")
    .nullable()
    .meta({
      description:
        "Where a human answers: callers who are handed off are put through to it. E.164; null: nobody is dialled, and " +
        "they are told that somebody will get back to them.",
      example: null,
    }),
};

const Settings = z.strictObject({ name: displayName, ...settings });

export const Workspace = z
  .object({
    id: z.int(),
    name: z.string().meta({ example: "Support" }),
    slug: z.string().meta({ description: "Hex form, for paths.", example: "737570706f7274" }),
    originalSlug: z.string().meta({ description: "For queries, bodies and docpaths.", example: "support" }),
    organization: z.object({
      id: z.int(),
      slug: z.string().meta({ example: "61636d65" }),
      originalSlug: z.string().meta({ example: "acme" }),
    }),
    createdAt: isoTime,
    lastUpdatedAt: isoTime,
    ...settings,
  })
  .meta({ id: "Workspace" });
export type Workspace = z.output<typeof Workspace>;

export const CreateWorkspace = Settings.partial()
  .required({ name: true })
  .extend({
    slug: originalSlug.optional().meta({ description: "Made from the name when absent. It never changes." }),
  })
  .meta({ id: "CreateWorkspace" });
export type CreateWorkspace = z.output<typeof CreateWorkspace>;

export const UpdateWorkspace = Settings.partial()
  .refine((fields) => Object.keys(fields).length > 0, "needs at least one setting")
  .meta({ id: "UpdateWorkspace", minProperties: 1 });
export type WorkspaceSettings = z.output<typeof UpdateWorkspace>;

export const WorkspaceParams = z.strictObject({ slug: pathSlug });

export const WorkspaceList = z
  .object({ workspaces: z.array(Workspace), next_cursor: nextCursor })
  .meta({ id: "WorkspaceList" });

const contents = {
  documents: z
    .array(
      z.object({
        docpath: z.string(),
        title: z.string(),
        status: z.string(),
        chunks: z.int(),
        tokens: z.int(),
      }),
    )
    .meta({ example: [] }),
  threads: z.array(z.object({ slug: z.string(), name: z.string() })).meta({ example: [] }),
  totals: z.object({ documents: z.int(), threads: z.int(), chunks: z.int(), tokens: z.int() }),
};
export type WorkspaceContents = z.output<z.ZodObject<typeof contents>>;

/** One workspace with what is in it: the two lists hold the first 100. */
export const WorkspaceDetail = Workspace.extend(contents).meta({ id: "WorkspaceDetail" });
export type WorkspaceDetail = z.output<typeof WorkspaceDetail>;

export const WorkspaceFetched = z.object({ workspace: WorkspaceDetail }).meta({ id: "WorkspaceFetched" });
export const WorkspaceResponse = z
  .object({ success: z.literal(true), workspace: Workspace })
  .meta({ id: "WorkspaceResponse" });

import { z } from "zod";
import { isoTime, nextCursor, PageQuery } from "../http/schemas.ts";
import { OrganizationParams } from "../organizations/organizations.schemas.ts";

/** Also for what comes as JSON inside a form's field, where nobody has looked into the strings yet. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine(
      (value) => value.isWellFormed() && !value.includes("\u0000"),
      "contains a NUL character or half a surrogate pair",
    );

/** What a caller may say about a document. */
export const Metadata = z.strictObject({
  title: text(500).min(1).optional(),
  docAuthor: text(500).optional(),
  description: text(2_000).optional(),
  docSource: text(2_000).optional(),
  chunkSource: text(2_000).optional(),
  published: text(100).optional(),
  url: text(2_000).optional(),
});
export type Metadata = z.output<typeof Metadata>;

export const Document = z
  .object({
    id: z.uuid(),
    docpath: z
      .string()
      .meta({ example: "acme/custom-documents/price-list.pdf-6e8be64c-c162-4b43-9997-b068c0071e8b.json" }),
    location: z.string().meta({ description: "The same as `docpath`." }),
    name: z.string(),
    title: z.string(),
    url: z.string().nullable(),
    docAuthor: z.string().nullable(),
    description: z.string().nullable(),
    docSource: z.string().nullable(),
    chunkSource: z.string().nullable(),
    published: z.string().nullable(),
    type: z.string().nullable().meta({ description: "MIME type." }),
    bytes: z.int().nullable(),
    pages: z.int().nullable(),
    language: z.string().nullable().meta({ description: "ISO 639-1; null when it cannot be told." }),
    wordCount: z.int().nullable(),
    token_count_estimate: z.int().nullable(),
    status: z.enum(["processing", "ready", "failed"]),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    external_id: z.string().nullable(),
    workspaces: z.array(z.string()).meta({ description: "Original slugs of the workspaces it is in." }),
    created_at: isoTime,
  })
  .meta({ id: "Document" });
export type Document = z.output<typeof Document>;

/** One document's part in an embedding: `embedded`, `removed`, or why not. */
export const EmbeddingResult = z
  .object({
    docpath: z.string(),
    workspace: z.string().optional().meta({ description: "Original slug, where several are meant." }),
    status: z.union([z.enum(["embedded", "removed", "embedding"]), z.int()]).meta({
      description: "What was done; a number is the HTTP status of what failed.",
    }),
    chunks: z.int().optional(),
    tokens: z.int().optional(),
    message: z.string().optional(),
  })
  .meta({ id: "EmbeddingResult" });
export type EmbeddingResult = z.output<typeof EmbeddingResult>;

export const UploadDone = z
  .object({
    success: z.boolean(),
    error: z.string().nullable(),
    documents: z.array(Document),
    results: z.array(EmbeddingResult).optional(),
    job_id: z.uuid().optional(),
  })
  .meta({ id: "UploadDone" });

const slugList = z
  .string()
  .max(5_000)
  .transform((list) => [
    ...new Set(
      list
        .split(",")
        .map((slug) => slug.trim())
        .filter(Boolean),
    ),
  ])
  .meta({ description: "Original slugs of workspaces, separated by commas.", example: "support,sales" });
const externalId = z.string().min(1).max(200).meta({
  description: "Your own id: the same one again replaces the document when the new version is ready.",
});

/** The fields beside `file`. */
export const UploadFields = z
  .strictObject({
    addToWorkspaces: slugList.optional(),
    metadata: z
      .string()
      .transform((json, context) => {
        try {
          return JSON.parse(json);
        } catch {
          context.addIssue({ code: "custom", message: "is not JSON" });
          return z.NEVER;
        }
      })
      .pipe(Metadata)
      .optional(),
    external_id: externalId.optional(),
  })
  .meta({ title: "UploadForm" });
export type UploadFields = z.output<typeof UploadFields>;

export const RawText = z
  .strictObject({
    textContent: z.string().min(1, "must not be empty").max(50_000_000),
    metadata: Metadata.required({ title: true }),
    addToWorkspaces: slugList.optional(),
    external_id: externalId.optional(),
  })
  .meta({ id: "RawText" });
export type RawText = z.output<typeof RawText>;

export const UploadLink = z
  .strictObject({
    link: z.url({ protocol: /^https?$/ }).max(2_000),
    metadata: Metadata.optional(),
    addToWorkspaces: slugList.optional(),
    external_id: externalId.optional(),
  })
  .meta({ id: "UploadLink" });
export type UploadLink = z.output<typeof UploadLink>;

export const WaitQuery = z.strictObject({
  wait: z
    .string()
    .regex(/^\d{1,3}$/, "is not a whole number")
    .transform(Number)
    .pipe(z.int().min(0).max(120))
    .default(25)
    .meta({ description: "Seconds to wait for the work.", example: 25 }),
});

export const UpdateEmbeddings = z
  .strictObject({
    adds: z.array(z.string().max(1_000)).max(1_000).default([]),
    deletes: z.array(z.string().max(1_000)).max(1_000).default([]),
  })
  .meta({ id: "UpdateEmbeddings" });
export type UpdateEmbeddings = z.output<typeof UpdateEmbeddings>;

export const FolderParams = OrganizationParams.extend({ folderName: z.string().min(1).max(255) });
export const DocumentParams = OrganizationParams.extend({ docName: z.string().min(1).max(255) });
export const FolderName = z.strictObject({ name: z.string().min(1).max(255) }).meta({ id: "FolderName" });
export const MoveFiles = z
  .strictObject({
    files: z
      .array(z.strictObject({ from: z.string().max(1_000), to: z.string().max(1_000) }))
      .min(1)
      .max(500),
  })
  .meta({ id: "MoveFiles" });
export const RemoveFiles = z
  .strictObject({ files: z.array(z.string().max(1_000)).min(1).max(500) })
  .meta({ id: "RemoveFiles" });

const FileResult = z.object({ docpath: z.string(), status: z.int(), message: z.string().nullable() });
export const FileResults = z
  .object({ success: z.boolean(), message: z.string().nullable(), results: z.array(FileResult) })
  .meta({ id: "FileResults" });

export const DocumentQuery = PageQuery.extend({
  folder: z.string().max(255).optional().meta({ description: "Only this folder." }),
  q: z.string().min(1).max(200).optional().meta({ description: "Part of the title or the file name." }),
  status: z.enum(["processing", "ready", "failed"]).optional(),
});
export type DocumentQuery = z.output<typeof DocumentQuery>;

export const DocumentTree = z
  .object({
    localFiles: z.object({
      name: z.literal("documents"),
      type: z.literal("folder"),
      items: z.array(z.object({ name: z.string(), type: z.literal("folder"), items: z.array(Document) })),
    }),
    next_cursor: nextCursor,
  })
  .meta({ id: "DocumentTree" });
export const FolderContent = z
  .object({ folder: z.string(), documents: z.array(Document), next_cursor: nextCursor })
  .meta({ id: "FolderContent" });
export const DocumentFetched = z.object({ document: Document }).meta({ id: "DocumentFetched" });
export const Message = z
  .object({ success: z.literal(true), message: z.string().nullable() })
  .meta({ id: "Message" });

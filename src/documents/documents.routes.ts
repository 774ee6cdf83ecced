import { z } from "zod";
import { type Operation, operation } from "../http/operation.ts";
import { PageQuery } from "../http/schemas.ts";
import { OrganizationParams } from "../organizations/organizations.schemas.ts";
import { Workspace, WorkspaceParams } from "../workspaces/workspaces.schemas.ts";
import { DEFAULT_FOLDER } from "./docpath.ts";
import {
  DocumentFetched,
  DocumentParams,
  DocumentQuery,
  DocumentTree,
  EmbeddingResult,
  FileResults,
  FolderContent,
  FolderName,
  FolderParams,
  Message,
  MoveFiles,
  RawText,
  RemoveFiles,
  UpdateEmbeddings,
  UploadDone,
  UploadFields,
  UploadLink,
  WaitQuery,
} from "./documents.schemas.ts";
import { updateEmbeddings } from "./embeddings.ts";
import { listAcceptedFileTypes } from "./file-type.ts";
import { createFolder, removeFolder } from "./folders.ts";
import { getDocument, listDocuments, listFolder } from "./list.ts";
import { moveFiles } from "./move.ts";
import { downloadOriginal } from "./original.ts";
import { removeFiles } from "./remove.ts";
import { SearchResults, searchWorkspace, VectorSearch } from "./search.ts";
import { uploadLink, uploadRawText } from "./text-upload.ts";
import { uploadDocument } from "./upload.ts";

const reading = { tag: "Documents", scope: "documents:read", tenant: "organization" } as const;
const writing = { tag: "Documents", scope: "documents:write", tenant: "organization" } as const;
const uploaded = { 200: UploadDone, 202: UploadDone, 207: UploadDone };
const uploadProblems = ["not_found", "payload_too_large", "unsupported_media_type", "unprocessable"] as const;
const examplePath = "acme/custom-documents/price-list.pdf-6e8be64c-c162-4b43-9997-b068c0071e8b.json";
const EmbeddingsDone = z
  .object({
    success: z.boolean(),
    workspace: Workspace,
    results: z.array(EmbeddingResult),
    job_id: z.uuid().optional(),
  })
  .meta({ id: "EmbeddingsDone" });

export const documentOperations: Operation[] = [
  operation({
    ...writing,
    id: "uploadDocument",
    method: "POST",
    path: "/v1/org/:orgSlug/document/upload",
    summary: "Upload a file.",
    description:
      "Multipart form with one `file`. It is read (and embedded, with `addToWorkspaces`) before the answer; what takes " +
      "longer than `wait` is answered 202 and goes on as a job.",
    params: OrganizationParams,
    query: WaitQuery,
    multipart: UploadFields,
    response: uploaded,
    problems: uploadProblems,
    handle: (app, caller, { params, query, multipart: { fields, file } }) =>
      uploadDocument(app, caller, params.orgSlug, {
        folder: DEFAULT_FOLDER,
        file,
        metadata: fields.metadata ?? {},
        addToWorkspaces: fields.addToWorkspaces ?? [],
        externalId: fields.external_id,
        waitSeconds: query.wait,
      }),
  }),
  operation({
    ...writing,
    id: "uploadDocumentToFolder",
    method: "POST",
    path: "/v1/org/:orgSlug/document/upload/:folderName",
    summary: "Upload a file into a folder, which is made if it is missing.",
    params: FolderParams,
    query: WaitQuery,
    multipart: UploadFields,
    response: uploaded,
    problems: uploadProblems,
    handle: (app, caller, { params, query, multipart: { fields, file } }) =>
      uploadDocument(app, caller, params.orgSlug, {
        folder: params.folderName,
        file,
        metadata: fields.metadata ?? {},
        addToWorkspaces: fields.addToWorkspaces ?? [],
        externalId: fields.external_id,
        waitSeconds: query.wait,
      }),
  }),
  operation({
    ...writing,
    id: "uploadRawText",
    method: "POST",
    path: "/v1/org/:orgSlug/document/raw-text",
    summary: "Store a text as a document.",
    params: OrganizationParams,
    query: WaitQuery,
    body: RawText,
    bodyLimitBytes: 60 * 1024 * 1024,
    response: uploaded,
    problems: uploadProblems,
    examples: { body: { textContent: "We deliver within two days.", metadata: { title: "Delivery" } } },
    handle: (app, caller, { params, query, body }) =>
      uploadRawText(app, caller, params.orgSlug, body, query.wait),
  }),
  operation({
    ...writing,
    id: "uploadLink",
    method: "POST",
    path: "/v1/org/:orgSlug/document/upload-link",
    summary: "Fetch a public link and store it as a document.",
    description: "Private, loopback and link-local addresses are refused, on every redirect.",
    params: OrganizationParams,
    query: WaitQuery,
    body: UploadLink,
    response: uploaded,
    problems: [...uploadProblems, "provider_failed", "provider_timeout"],
    examples: { body: { link: "https://example.com/help" } },
    handle: (app, caller, { params, query, body }) =>
      uploadLink(app, caller, params.orgSlug, body, query.wait),
  }),
  operation({
    ...reading,
    id: "listDocuments",
    method: "GET",
    path: "/v1/org/:orgSlug/documents",
    summary: "List documents by folder, newest first.",
    params: OrganizationParams,
    query: DocumentQuery,
    response: { 200: DocumentTree },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) => listDocuments(app, caller, params.orgSlug, query),
  }),
  operation({
    ...reading,
    id: "listFolder",
    method: "GET",
    path: "/v1/org/:orgSlug/documents/folder/:folderName",
    summary: "List a folder's documents, newest first.",
    params: FolderParams,
    query: PageQuery,
    response: { 200: FolderContent },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) =>
      listFolder(app, caller, params.orgSlug, params.folderName, query),
  }),
  operation({
    ...reading,
    id: "getDocument",
    method: "GET",
    path: "/v1/org/:orgSlug/document/:docName",
    summary: "Get one document.",
    params: DocumentParams,
    response: { 200: DocumentFetched },
    problems: ["not_found"],
    handle: (app, caller, { params }) => getDocument(app, caller, params.orgSlug, params.docName),
  }),
  operation({
    ...reading,
    id: "downloadOriginal",
    method: "GET",
    path: "/v1/org/:orgSlug/document/:docName/original",
    summary: "Download the file as it was uploaded.",
    params: DocumentParams,
    response: { 200: z.string().meta({ id: "OriginalFile", description: "The bytes of the file." }) },
    download: true,
    problems: ["not_found"],
    handle: (app, caller, { params }) => downloadOriginal(app, caller, params.orgSlug, params.docName),
  }),
  operation({
    ...writing,
    id: "createFolder",
    method: "POST",
    path: "/v1/org/:orgSlug/document/create-folder",
    summary: "Create a folder.",
    params: OrganizationParams,
    body: FolderName,
    response: { 200: Message },
    problems: ["not_found", "conflict"],
    examples: { body: { name: "price-lists" } },
    handle: (app, caller, { params, body }) => createFolder(app, caller, params.orgSlug, body.name),
  }),
  operation({
    ...writing,
    id: "removeFolder",
    method: "DELETE",
    path: "/v1/org/:orgSlug/document/remove-folder",
    summary: "Remove a folder with the documents in it, from every workspace.",
    params: OrganizationParams,
    body: FolderName,
    response: { 200: Message },
    problems: ["not_found", "conflict"],
    examples: { body: { name: "price-lists" } },
    handle: (app, caller, { params, body }) => removeFolder(app, caller, params.orgSlug, body.name),
  }),
  operation({
    ...writing,
    id: "moveFiles",
    method: "POST",
    path: "/v1/org/:orgSlug/document/move-files",
    summary: "Move documents to other folders. Workspaces keep them.",
    params: OrganizationParams,
    body: MoveFiles,
    response: { 200: FileResults, 207: FileResults },
    problems: ["not_found"],
    examples: {
      body: { files: [{ from: examplePath, to: examplePath.replace("custom-documents", "archive") }] },
    },
    handle: (app, caller, { params, body }) => moveFiles(app, caller, params.orgSlug, body.files),
  }),
  operation({
    ...writing,
    id: "removeFiles",
    method: "DELETE",
    path: "/v1/org/:orgSlug/document/remove-files",
    summary: "Remove documents, their originals and passages, from every workspace.",
    params: OrganizationParams,
    body: RemoveFiles,
    response: { 200: FileResults, 207: FileResults },
    problems: ["not_found"],
    examples: { body: { files: [examplePath] } },
    handle: (app, caller, { params, body }) => removeFiles(app, caller, params.orgSlug, body.files),
  }),
  operation({
    id: "listAcceptedFileTypes",
    method: "GET",
    path: "/v1/document/accepted-file-types",
    tag: "Documents",
    scope: null,
    tenant: "partner",
    summary: "List the file types that can be read, by MIME type.",
    response: {
      200: z.object({ types: z.record(z.string(), z.array(z.string())) }).meta({ id: "AcceptedFileTypes" }),
    },
    handle: async () => ({ types: listAcceptedFileTypes() }),
  }),
  operation({
    id: "updateEmbeddings",
    method: "POST",
    path: "/v1/workspace/:slug/update-embeddings",
    tag: "Workspaces",
    scope: "documents:write",
    tenant: "workspace",
    summary: "Take documents out of a workspace, and put others in.",
    description:
      "Deletes come first. Each embedding is a job; the answer waits for them. 207: some failed, each with its reason; " +
      "202: the wait ended first, the work goes on.",
    params: WorkspaceParams,
    query: WaitQuery,
    body: UpdateEmbeddings,
    response: { 200: EmbeddingsDone, 202: EmbeddingsDone, 207: EmbeddingsDone },
    problems: ["not_found"],
    examples: { body: { adds: [examplePath], deletes: [] } },
    handle: (app, caller, { params, query, body }) =>
      updateEmbeddings(app, caller, params.slug, body, query.wait),
  }),
  operation({
    id: "vectorSearch",
    method: "POST",
    path: "/v1/workspace/:slug/vector-search",
    tag: "Workspaces",
    scope: "search",
    tenant: "workspace",
    summary: "Find the passages that answer a question best.",
    params: WorkspaceParams,
    body: VectorSearch,
    idempotent: false,
    response: { 200: SearchResults },
    problems: ["not_found", "provider_failed"],
    examples: { body: { query: "How long does delivery take?", topN: 4 } },
    handle: (app, caller, { params, body }) => searchWorkspace(app, caller, params.slug, body),
  }),
];

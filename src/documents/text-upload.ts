import { join } from "node:path";
import { Readable } from "node:stream";
import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { cleanFileName, discard, receive, type StagedFile, tooLarge } from "../http/multipart.ts";
import { Problem } from "../http/problem.ts";
import { ProviderError } from "../ports/provider-error.ts";
import { DEFAULT_FOLDER } from "./docpath.ts";
import type { RawText, UploadLink } from "./documents.schemas.ts";
import { findFileType } from "./file-type.ts";
import { uploadDocument } from "./upload.ts";
import { checkTargets } from "./upload-target.ts";

const LINK_TIMEOUT_MS = 30_000;

/** A text as a document, without a file. */
export async function uploadRawText(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  { textContent, metadata, addToWorkspaces, external_id }: RawText,
  waitSeconds: number,
) {
  const text = Buffer.from(textContent, "utf8");
  if (text.byteLength > app.config.maxUploadBytes) throw tooLarge(app.config.maxUploadBytes);
  const body = Readable.from([text]);
  return withStaged(
    app,
    body,
    {
      fileName: cleanFileName(`${metadata.title.slice(0, 100).replaceAll("/", "-")}.txt`),
      mime: "text/plain",
    },
    (file) =>
      uploadDocument(app, caller, orgSlug, {
        folder: DEFAULT_FOLDER,
        file,
        metadata,
        addToWorkspaces: addToWorkspaces ?? [],
        externalId: external_id,
        waitSeconds,
      }),
  );
}

/** Fetches a public address and stores what it answers. Private networks are refused, on every redirect. */
export async function uploadLink(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  { link, metadata, addToWorkspaces, external_id }: UploadLink,
  waitSeconds: number,
) {
  // Nobody is asked for a document that could not be stored.
  await checkTargets(app, caller, orgSlug, { addToWorkspaces: addToWorkspaces ?? [], sizeBytes: 0 });
  const answer = await fetchLink(app, link);
  if (answer.status !== 200) {
    answer.body.destroy();
    throw new Problem(
      "unprocessable",
      `The link answered with status ${answer.status} instead of a document.`,
    );
  }
  const mime = answer.contentType?.split(";")[0]?.trim() || "text/html";
  const named = { fileName: cleanFileName(fileNameOf(answer.url, mime)), mime };
  return withStaged(app, answer.body, named, (file) =>
    uploadDocument(app, caller, orgSlug, {
      folder: DEFAULT_FOLDER,
      file,
      metadata: { url: link, chunkSource: link, ...metadata },
      addToWorkspaces: addToWorkspaces ?? [],
      externalId: external_id,
      waitSeconds,
    }),
  );
}

async function fetchLink(app: App, link: string) {
  try {
    return await app.fetchPublic(link, { maxBytes: app.config.maxUploadBytes, timeoutMs: LINK_TIMEOUT_MS });
  } catch (error) {
    throw linkProblem(app, error);
  }
}

function linkProblem(app: App, error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error;
  if (error.code === "address_refused") {
    return new Problem("invalid_request", `body.link: ${error.message}`, {
      details: [{ path: "body.link", message: "is not a public address" }],
    });
  }
  if (error.code === "input_too_large") return tooLarge(app.config.maxUploadBytes);
  if (error.code === "timeout")
    return new Problem("provider_timeout", "The link did not answer in time. Try again.");
  return new Problem("provider_failed", "The link could not be fetched. Check it and try again.");
}

/** What the address ends in, with an ending that fits what came. */
function fileNameOf(address: string, mime: string): string {
  const last = decodeURIComponentSafely(new URL(address).pathname.split("/").at(-1) ?? "");
  const name = last === "" ? new URL(address).hostname : last;
  if (findFileType(name) !== undefined && /\.[a-z0-9]{1,8}$/i.test(last)) return name;
  const extension = findFileType("", mime)?.extensions[0] ?? ".html";
  return `${name}${extension}`;
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function withStaged<T>(
  app: App,
  body: Readable,
  { fileName, mime }: { fileName: string; mime: string },
  use: (file: StagedFile) => Promise<T>,
): Promise<T> {
  const received = await receive(body, join(app.stagingDir, app.newId())).catch((error: unknown) => {
    throw linkProblem(app, error);
  });
  const file: StagedFile = { ...received, fileName: cleanFileName(fileName), mime };
  try {
    return await use(file);
  } finally {
    await discard(file);
  }
}

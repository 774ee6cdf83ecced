import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import { Download } from "../http/download.ts";
import { notFound } from "../http/problem.ts";
import { ProviderError } from "../ports/provider-error.ts";
import { getDocumentView } from "./list.ts";

/** The file as it was uploaded. Its name and type are data: a browser saves it and never runs it. */
export async function downloadOriginal(app: App, caller: AccountCaller, orgSlug: string, docName: string) {
  return openOriginal(app, caller, orgSlug, docName).catch((error: unknown) => {
    // A newer version took its place between the look-up and the opening: that one is meant now.
    if (error instanceof ProviderError && error.code === "not_found")
      return openOriginal(app, caller, orgSlug, docName);
    throw error;
  });
}

async function openOriginal(app: App, caller: AccountCaller, orgSlug: string, docName: string) {
  const document = await getDocumentView(app, caller, orgSlug, docName);
  const contentId = document.content_id ?? document.next_content_id;
  const [content] = await app.db.readAsTenant<{ original_key: string; mime: string }>(caller, (db) =>
    db.selectFrom("contents").select(["original_key", "mime"]).where("id", "=", contentId),
  );
  if (content === undefined) throw notFound("document");
  const { body, sizeBytes } = await app.files.get(content.original_key);
  return new Download(body, { fileName: document.file_name, mime: content.mime, sizeBytes });
}

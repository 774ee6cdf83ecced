import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import type { StagedFile } from "../http/multipart.ts";
import { Problem } from "../http/problem.ts";
import { answerUpload } from "./answer-upload.ts";
import { checkSegment } from "./docpath.ts";
import { checkFileType, type FileType } from "./file-type.ts";
import { asProblem } from "./parse-problem.ts";
import { storeOriginal } from "./read-content.ts";
import { deleteFiles } from "./remove.ts";
import { storeDocument } from "./store-upload.ts";
import { uploadAtOnce } from "./upload-at-once.ts";
import { checkTargets, type Upload, type UploadTarget } from "./upload-target.ts";

/**
 * Stores a received file as a document. A small plain text is read (and embedded, if asked) on the spot; anything else
 * as a durable job, which the answer waits for.
 *
 * Nothing is stored before everything the caller said has been checked: the file's kind, the folder, the workspaces.
 */
export async function uploadDocument(app: App, caller: AccountCaller, orgSlug: string, wanted: Upload) {
  const type = checkType(app, wanted.file);
  const upload = { ...wanted, folder: checkSegment(wanted.folder, "path.folderName") };
  const target = await checkTargets(app, caller, orgSlug, {
    addToWorkspaces: upload.addToWorkspaces,
    sizeBytes: upload.file.sizeBytes,
  });
  return (
    (await uploadAtOnce(app, caller, upload, type, target)) ??
    (await uploadAsJob(app, caller, orgSlug, upload, type, target))
  );
}

async function uploadAsJob(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  upload: Upload,
  type: FileType,
  { organization }: UploadTarget,
) {
  const originalKey = await storeOriginal(app, organization.id, upload.file);
  const stored = await storeDocument(app, caller, orgSlug, upload, type, originalKey).catch(
    async (error: unknown) => {
      await app.files.delete(originalKey);
      throw error;
    },
  );
  await deleteFiles(app, stored.originalUsed ? stored.released : [originalKey, ...stored.released]);
  return answerUpload(app, caller, orgSlug, stored, upload.waitSeconds);
}

/** Also what happens to files that can never be read: they are refused before they are stored. */
function checkType(app: App, file: StagedFile): FileType {
  try {
    const type = checkFileType({ fileName: file.fileName, mime: file.mime, head: file.head });
    if (type.format === "audio" && app.transcriber === null) {
      throw new Problem(
        "unsupported_media_type",
        "Audio needs a transcription provider, and none is configured.",
      );
    }
    return type;
  } catch (error) {
    throw asProblem(error);
  }
}

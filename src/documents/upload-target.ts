import type { App } from "../context.ts";
import type { AccountCaller } from "../http/caller.ts";
import type { StagedFile } from "../http/multipart.ts";
import { Problem } from "../http/problem.ts";
import type { OrganizationRow } from "../organizations/find.ts";
import { readOrganizationWithWorkspaces } from "../workspaces/find.ts";
import type { Metadata } from "./documents.schemas.ts";

export interface Upload {
  folder: string;
  file: StagedFile;
  metadata: Metadata;
  addToWorkspaces: readonly string[];
  externalId: string | undefined;
  waitSeconds: number;
}

/** Where an upload goes. */
export interface UploadTarget {
  organization: OrganizationRow;
  /** Those it is added to, by id. */
  workspaces: { id: number; slug: string }[];
}

/** A 400 for any workspace that is unknown or another organization's, before anything is stored. */
export async function checkTargets(
  app: App,
  caller: AccountCaller,
  orgSlug: string,
  { addToWorkspaces, sizeBytes }: { addToWorkspaces: readonly string[]; sizeBytes: number },
): Promise<UploadTarget> {
  const target = await readOrganizationWithWorkspaces(app, caller, orgSlug, addToWorkspaces);
  refuseUnknown(addToWorkspaces, target.workspaces);
  const { organization, storageBytes } = target;
  const quotaBytes = organization.storage_quota_bytes ?? app.config.storageQuotaBytes;
  if (storageBytes + sizeBytes > quotaBytes) {
    throw new Problem("payload_too_large", "The organization's storage is full. Remove documents first.");
  }
  return target;
}

export function refuseUnknown(wanted: readonly string[], found: readonly { slug: string }[]): void {
  const unknown = wanted.find((slug) => !found.some((row) => row.slug === slug));
  if (unknown === undefined) return;
  const message = `this organization has no workspace "${unknown}"`;
  throw new Problem("invalid_request", `addToWorkspaces: ${message}.`, {
    details: [{ path: "body.addToWorkspaces", message }],
  });
}

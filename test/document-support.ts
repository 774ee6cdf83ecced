import { readdir } from "node:fs/promises";
import { storageBytes } from "../src/organizations/find.ts";
import { hex, type Reply, type TestServer, type World } from "./support.ts";

/** A file as a form sends it. */
export interface TestFile {
  name: string;
  content: string | Uint8Array<ArrayBuffer>;
  mime?: string;
}

export function formOf(file: TestFile, fields: Record<string, string> = {}): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.append("file", new Blob([file.content], { type: file.mime ?? "" }), file.name);
  return form;
}

/** Sends a form to `/document/upload`, or below it. */
export async function sendForm(
  server: Pick<TestServer, "url">,
  world: World,
  form: FormData | Uint8Array<ArrayBuffer>,
  { path = "", headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const response = await fetch(`${server.url}/api${documentPath(world, `upload${path}`)}`, {
    method: "POST",
    headers: { authorization: `Bearer ${world.partner.key}`, "x-account-id": world.accountId, ...headers },
    body: form,
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Uploads a text under a name. */
export function uploadText(
  server: Pick<TestServer, "url">,
  world: World,
  name: string,
  content: string | Uint8Array<ArrayBuffer>,
  fields: Record<string, string> = {},
  path = "",
): Promise<Reply> {
  return sendForm(server, world, formOf({ name, content }, fields), { path });
}

export function documentPath(world: World, rest: string): string {
  return `/v1/org/${hex(world.orgSlug)}/document/${rest}`;
}

export function documentsPath(world: World, rest = ""): string {
  return `/v1/org/${hex(world.orgSlug)}/documents${rest}`;
}

/** What a question finds in the world's workspace. */
export async function found(
  world: World,
  query: string,
  options: object = {},
  slug = world.workspaceSlug,
): Promise<{ text: string; docpath: string; score: number }[]> {
  const { status, body } = await world.api.post(`/v1/workspace/${hex(slug)}/vector-search`, {
    query,
    ...options,
  });
  if (status !== 200) throw new Error(`the search answered ${status}: ${body.message}`);
  return body.results.map((hit: { text: string; score: number; metadata: { docpath: string } }) => ({
    text: hit.text,
    score: hit.score,
    docpath: hit.metadata.docpath,
  }));
}

export function embed(
  world: World,
  change: { adds?: string[]; deletes?: string[] },
  query = "",
  slug = world.workspaceSlug,
): Promise<Reply> {
  return world.api.post(`/v1/workspace/${hex(slug)}/update-embeddings${query}`, change);
}

/** Another workspace of the same organization; its original slug. */
export async function newWorkspace(world: World, name: string): Promise<string> {
  const { body } = await world.api.post(`/v1/org/${hex(world.orgSlug)}/workspaces`, { name });
  return body.workspace.originalSlug;
}

/** The keys of everything the store holds of the world's organization. */
export async function storedFiles(server: TestServer, world: World): Promise<string[]> {
  const keys: string[] = [];
  for (const kind of ["originals", "parsed", "segments"]) {
    for await (const { key } of server.app.files.list(`${kind}/${world.organizationId}/`)) keys.push(key);
  }
  return keys.sort();
}

export async function stagedFiles(server: TestServer): Promise<string[]> {
  return readdir(server.app.stagingDir).catch(() => []);
}

/** The rows of the organization, as the database has them. */
export function rowsOf(server: TestServer, world: World) {
  return server.app.db.asSystem("jobs", async (tx) => {
    const of = (table: "documents" | "contents" | "segments" | "workspace_documents" | "folders") =>
      tx.selectFrom(table).selectAll().where("organization_id", "=", world.organizationId).execute();
    const organization = await tx
      .selectFrom("organizations")
      .select(storageBytes.as("storage_bytes"))
      .where("id", "=", world.organizationId)
      .executeTakeFirst();
    return {
      documents: await of("documents"),
      contents: await of("contents"),
      segments: await of("segments"),
      members: await of("workspace_documents"),
      folders: await of("folders"),
      storageBytes: organization?.storage_bytes,
    };
  });
}

/** Asks until it is so. */
export async function until<T>(ask: () => Promise<T | undefined | false>, timeoutMs = 20_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error("it did not come to be in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

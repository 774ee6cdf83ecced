import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Bootstrap } from "../bench/support.ts";

/** A passage that a search found. */
export interface Passage {
  text: string;
  score: number;
  metadata: { document_id: string; page: number | null };
}

/** A passage that an answer offers as its source. */
export interface Source {
  docpath: string;
  title: string;
  heading: string | null;
  text: string;
  page: number | null;
}

export interface Answer {
  text: string;
  sources: Source[];
  ms: number;
}

/** The workspace under evaluation, spoken to as any client would. */
export interface Platform {
  /** @returns file name → id and docpath of the document */
  upload(files: readonly URL[]): Promise<Map<string, { id: string; docpath: string }>>;
  change(settings: Readonly<Record<string, unknown>>): Promise<void>;
  search(
    query: string,
    options?: { topN?: number; scoreThreshold?: number },
  ): Promise<{ passages: Passage[]; ms: number }>;
  /** `lexical` or `semantic`. */
  searchMode(): Promise<string>;
  /** A conversation of its own for each question, in `query` mode. */
  ask(message: string): Promise<Answer>;
}

export function connect({ base_url, api_key, account_id, org_slug, workspace_slug }: Bootstrap): Platform {
  const workspace = `/workspace/${hex(workspace_slug)}`;
  let conversations = 0;

  async function call(path: string, body: FormData | object): Promise<unknown> {
    const form = body instanceof FormData;
    const response = await fetch(`${base_url}/api/v1${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${api_key}`,
        "x-account-id": account_id,
        ...(form ? {} : { "content-type": "application/json" }),
      },
      body: form ? body : JSON.stringify(body),
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`POST ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }

  return {
    async upload(files) {
      const documents = new Map<string, { id: string; docpath: string }>();
      for (const file of files) {
        const name = decodeURIComponent(basename(file.pathname));
        const form = new FormData();
        form.set("addToWorkspaces", workspace_slug);
        form.set("file", new Blob([await readFile(file)]), name);
        const [document] = trusted<{ documents: { id: string; docpath: string }[] }>(
          await call(`/org/${hex(org_slug)}/document/upload`, form),
        ).documents;
        if (document !== undefined) documents.set(name, document);
      }
      return documents;
    },
    async change(settings) {
      await call(`${workspace}/update`, settings);
    },
    async search(query, options = {}) {
      const begun = performance.now();
      const { results } = trusted<{ results: Passage[] }>(
        await call(`${workspace}/vector-search`, { query, ...options }),
      );
      return { passages: results, ms: performance.now() - begun };
    },
    async searchMode() {
      return trusted<{ mode: string }>(await call(`${workspace}/vector-search`, { query: "mode" })).mode;
    },
    async ask(message) {
      conversations += 1;
      const begun = performance.now();
      const { textResponse, sources } = trusted<{ textResponse: string; sources: Source[] }>(
        await call(`${workspace}/chat`, { message, mode: "query", sessionId: `eval-${conversations}` }),
      );
      return { text: textResponse, sources, ms: performance.now() - begun };
    },
  };
}

/** Answers of our own server, whose shapes the contract tests keep. */
function trusted<Shape>(body: unknown): Shape {
  return body as Shape;
}

function hex(slug: string): string {
  return Buffer.from(slug).toString("hex");
}

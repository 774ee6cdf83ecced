import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDocumentParser,
  type DocumentParserOptions,
  type ParseRequest,
} from "../../src/documents/parse/document-parser.ts";
import { ParseFailure } from "../../src/documents/parse/parse-failure.ts";
import type { ParsedDocument } from "../../src/documents/parse/parsed-document.ts";

export interface ParseBench {
  parse(
    fileName: string,
    content: string | Uint8Array,
    request?: Partial<ParseRequest>,
  ): Promise<ParsedDocument>;
  /** The failure of a file that must not be read. */
  fail(
    fileName: string,
    content: string | Uint8Array,
    request?: Partial<ParseRequest>,
  ): Promise<ParseFailure>;
  close(): Promise<void>;
}

/** A parser of its own, and a folder for the files it is given. */
export async function openParseBench(options: DocumentParserOptions = {}): Promise<ParseBench> {
  const folder = await mkdtemp(join(tmpdir(), "parse-test-"));
  const parser = createDocumentParser(options);
  let count = 0;

  async function parse(fileName: string, content: string | Uint8Array, request: Partial<ParseRequest> = {}) {
    count += 1;
    // The stored name says nothing, as in the file store.
    const path = join(folder, `stored-${count}`);
    await writeFile(path, content);
    return await parser.parseDocument({ path, fileName, ...request });
  }

  return {
    parse,
    async fail(fileName, content, request) {
      try {
        await parse(fileName, content, request);
      } catch (error) {
        if (error instanceof ParseFailure) return error;
        throw error;
      }
      throw new Error(`${fileName} was read, but should have been refused`);
    },
    async close() {
      await parser.close();
      await rm(folder, { recursive: true });
    },
  };
}

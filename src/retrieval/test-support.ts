import { encodeSegment } from "./encode-segment.ts";
import { createSearchMemory, loadSegment } from "./search-memory.ts";
import type { Chunk, SegmentInput } from "./segment.ts";
import { createShard, type Shard, setDocuments } from "./shard.ts";

/** A passage with nothing but its text. */
export function chunkOf(text: string, place: Partial<Chunk> = {}): Chunk {
  return { text, start: 0, end: text.length, page: null, headings: [], tokens: 1, language: null, ...place };
}

/** A document in lexical mode, one passage per text. */
export function documentOf(texts: string[], language: string | null = "en"): SegmentInput {
  return { title: "", language, chunks: texts.map((text) => chunkOf(text)), vectors: null };
}

/** A workspace with one document per input, named "0", "1", … in folder "even" or "odd". */
export async function shardOf(inputs: SegmentInput[]): Promise<Shard> {
  const shard = createShard(createSearchMemory());
  const documents = await Promise.all(
    inputs.map(async (input, i) => {
      const bytes = encodeSegment(input);
      const segment = await loadSegment(shard.memory, `${i}`, (start, length) =>
        bytes.subarray(start, start + length),
      );
      const folder = i % 2 ? "odd" : "even";
      const attributes = {
        documentId: `${i}`,
        folder,
        docpath: `org/${folder}/${i}`,
        metadata: { number: i },
      };
      return { attributes: { ...attributes, language: input.language }, segment };
    }),
  );
  setDocuments(shard, documents);
  return shard;
}

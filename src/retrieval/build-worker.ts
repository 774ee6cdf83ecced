import { encodeSegment } from "./encode-segment.ts";
import { detectLanguage } from "./language.ts";
import type { SegmentInput } from "./segment.ts";
import { serveWorker } from "./worker-server.ts";

serveWorker(() => ({
  build: (payload) => encodeSegment(asInput(payload)),
  detectLanguage: (payload) => detectLanguage(String(payload)),
}));

/** `createSegmentBuilder` sends nothing else. */
function asInput(payload: unknown): SegmentInput {
  return payload as SegmentInput;
}

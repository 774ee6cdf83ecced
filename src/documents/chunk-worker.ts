import { serveWorker } from "../retrieval/worker-server.ts";
import { passagesOfStored } from "./passages.ts";

serveWorker(() => ({
  chunk: (payload) => {
    const { parsed, title } = asRequest(payload);
    return passagesOfStored(parsed, title);
  },
}));

/** `createChunker` sends nothing else. */
function asRequest(payload: unknown): { parsed: Uint8Array; title: string } {
  return payload as { parsed: Uint8Array; title: string };
}

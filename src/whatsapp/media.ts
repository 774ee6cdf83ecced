import type { App } from "../context.ts";
import { type Messenger, MessengerError } from "../ports/messenger.ts";
import { type ConnectionRow, openToken } from "./connection.ts";
import type { InboundMedia } from "./inbound.ts";

const TIMEOUT_MS = 20_000;

/**
 * The bytes of what a person sent; `null` when they cannot be had, for whatever reason. The link that came with the
 * message is good for five minutes, so that Meta is asked for another one when it fails.
 */
export async function fetchMedia(
  app: App,
  messenger: Messenger,
  connection: ConnectionRow,
  media: InboundMedia,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const number = connection.phone_number_id;
  if (number === null || connection.token === null) return null;
  const token = openToken(app, connection);
  const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const download = (facts: { url: string; sha256: string | null }) =>
    messenger.downloadMedia(token, facts, maxBytes, limited);
  try {
    if (media.url !== null) {
      const { url, sha256 } = media;
      const bytes = await download({ url, sha256 }).catch((error: unknown) => expected(error, limited));
      if (bytes !== null) return bytes;
    }
    return await download(await messenger.getMedia(token, number, media.id, limited));
  } catch (error) {
    signal.throwIfAborted();
    app.log.warn({ error, connectionId: connection.id }, "what a person sent could not be fetched");
    return null;
  }
}

function expected(error: unknown, signal: AbortSignal): null {
  if (!signal.aborted && error instanceof MessengerError) return null;
  throw error;
}

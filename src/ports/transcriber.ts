export type Audio = {
  /** The audio file's bytes, read once and never held whole. */
  body: AsyncIterable<Uint8Array>;
  sizeBytes: number;
  /** With an extension the vendor knows (`.mp3`, `.wav`, …): vendors tell the format by it. */
  fileName: string;
  /** e.g. `audio/mpeg`. */
  contentType: string;
};

type TranscriptSegment = { startSeconds: number; endSeconds: number; text: string };

export type Transcript = {
  text: string;
  /** As the vendor names it (`en`, `english`); null when it does not say. */
  language: string | null;
  durationSeconds: number | null;
  /** Empty when the model gives no times. */
  segments: TranscriptSegment[];
};

type TranscribeOptions = {
  /** ISO 639-1, when known; helps the model. */
  language?: string;
  signal?: AbortSignal;
};

/** A model that writes down what is said. */
export type Transcriber = {
  provider: string;
  model: string;
  limits: { maxBytes: number };

  /** Errors: `ProviderError`; a file over `limits.maxBytes` is `input_too_large` without a request. */
  transcribe(audio: Audio, options?: TranscribeOptions): Promise<Transcript>;
};

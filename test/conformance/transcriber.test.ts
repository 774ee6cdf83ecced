import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Audio } from "../../src/ports/transcriber.ts";
import {
  openaiCompatibleTranscriber,
  type TranscriberOptions,
} from "../../src/providers/openai-compatible/openai-transcriber.ts";
import { startOpenaiSimulator } from "../simulators/openai/openai-simulator.ts";
import type { Simulator } from "../simulators/simulator.ts";

const apiKey = "key-5f2b9c77d1e04a";

describe("the OpenAI-compatible transcriber", () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startOpenaiSimulator({ apiKey });
  });
  afterAll(() => simulator.close());
  beforeEach(() => {
    simulator.recover();
    simulator.requests.length = 0;
  });
  const transcriber = (more: Partial<TranscriberOptions> = {}) =>
    openaiCompatibleTranscriber({ baseUrl: simulator.url, apiKey, model: "whisper-1", ...more });

  test("sends the file as it is and reads text, language and times", async () => {
    const hash = createHash("sha256")
      .update(Buffer.concat([block, block, block]))
      .digest("hex")
      .slice(0, 8);
    const transcript = await transcriber().transcribe(audio(3), { language: "es" });
    const text = `This is note.mp3 of ${3 * block.byteLength} bytes, hash ${hash}.`;
    expect(transcript).toEqual({
      text,
      language: "es",
      durationSeconds: 2.5,
      segments: [{ startSeconds: 0, endSeconds: 2.5, text }],
    });
  });

  test("announces the length beforehand, and streams", async () => {
    let taken = 0;
    await transcriber().transcribe(audio(100, () => (taken += 1)));
    expect(taken).toBe(100);
    const [request] = simulator.requests;
    expect(Number(request?.headers["content-length"])).toBe(request?.body.byteLength);
    expect(request?.headers["transfer-encoding"]).toBeUndefined();
  });

  test("asks models that know no times for text only", async () => {
    const transcript = await transcriber({ model: "gpt-4o-transcribe" }).transcribe(audio(1));
    expect(transcript).toMatchObject({ language: null, durationSeconds: null, segments: [] });
    expect(transcript.text).toContain("note.mp3");
  });

  test("keeps an odd file name inside its quotes", async () => {
    const odd = { ...audio(1), fileName: 'a"; name="model"\r\nx: y\r\n\r\n.mp3' };
    expect((await transcriber().transcribe(odd)).text).toContain("bytes, hash");
    expect(simulator.requests[0]?.body.toString("latin1")).toContain(
      'filename="a%22; name=%22model%22%0D%0Ax: y',
    );
  });

  test("refuses a file that is too large without sending it", async () => {
    const failing = transcriber({ maxBytes: 100 }).transcribe(audio(1));
    await expect(failing).rejects.toMatchObject({ code: "input_too_large" });
    expect(simulator.requests).toHaveLength(0);
  });

  test("throws what the file's own stream threw", async () => {
    async function* breaking() {
      yield block;
      throw new RangeError("the disk is gone");
    }
    const failing = transcriber().transcribe({ ...audio(3), body: breaking() });
    await expect(failing).rejects.toThrow(new RangeError("the disk is gone"));
  });

  test.each([
    ["a wrong key", { apiKey: "wrong-key-8841" }, { code: "unauthorized", retryable: false }],
    ["an unknown model", { model: "nope" }, { code: "not_found", retryable: false }],
  ])("makes %s a clear error", async (_name, more, expected) => {
    const failing = transcriber(more).transcribe(audio(1));
    await expect(failing).rejects.toMatchObject({ name: "ProviderError", ...expected });
    await expect(failing).rejects.not.toThrow(/wrong-key-8841/);
  });

  test("makes failures on the way clear errors", async () => {
    simulator.fail({ fault: { kind: "status", status: 500 }, times: 1 });
    await expect(transcriber().transcribe(audio(1))).rejects.toMatchObject({
      code: "unavailable",
      retryable: true,
    });
    simulator.fail({ fault: { kind: "reset" }, times: 1 });
    await expect(transcriber().transcribe(audio(1))).rejects.toMatchObject({
      code: "unavailable",
      retryable: true,
    });
    simulator.fail({ fault: { kind: "slow", ms: 1_000 }, times: 1 });
    const slow = transcriber({ timeoutMs: 50 }).transcribe(audio(1));
    await expect(slow).rejects.toMatchObject({ code: "timeout", retryable: true });
  });

  test("stops when told to", async () => {
    const stop = new AbortController();
    async function* endless() {
      yield block;
      await new Promise(() => {});
    }
    const transcribing = transcriber().transcribe({ ...audio(3), body: endless() }, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("gone")), 30);
    await expect(transcribing).rejects.toThrow("gone");
  });
});

const block = Buffer.alloc(10_000, "sound");

function audio(blocks: number, onBlock = () => {}): Audio {
  async function* body() {
    for (let i = 0; i < blocks; i++) {
      onBlock();
      yield block;
    }
  }
  return {
    body: body(),
    sizeBytes: blocks * block.byteLength,
    fileName: "note.mp3",
    contentType: "audio/mpeg",
  };
}

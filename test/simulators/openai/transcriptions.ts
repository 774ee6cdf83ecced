import { createHash } from "node:crypto";
import type { SimulatorAnswer, SimulatorRequest } from "../simulator.ts";
import { refusal } from "./openai-errors.ts";

const maxBytes = 25 * 1024 * 1024;
const known = ["file", "model", "language", "prompt", "response_format", "temperature"];

/** `POST /v1/audio/transcriptions`. What it "hears" is the file's name, size and hash. */
export async function answerTranscription(request: SimulatorRequest): Promise<SimulatorAnswer> {
  const form = await readForm(request);
  if (form === null) return refusal(400, "The request is not multipart/form-data.");
  const file = form.get("file");
  const model = form.get("model");
  if (!(file instanceof File)) return refusal(400, "'file' is a required property", null, "file");
  const strange = [...form.keys()].find((name) => !known.includes(name));
  if (strange !== undefined)
    return refusal(400, `Unrecognized request argument supplied: ${strange}`, null, strange);
  if (file.size > maxBytes)
    return refusal(413, `Maximum content size limit (${maxBytes}) exceeded (${file.size} bytes read)`);
  if (!/\.(flac|mp3|mp4|mpeg|mpga|m4a|ogg|wav|webm)$/.test(file.name)) {
    return refusal(400, "Unrecognized file format.", null, "file");
  }
  return await transcribe(
    file,
    String(model),
    String(form.get("response_format") ?? "json"),
    form.get("language"),
  );
}

async function transcribe(
  file: File,
  model: string,
  format: string,
  language: unknown,
): Promise<SimulatorAnswer> {
  const hash = createHash("sha256")
    .update(await file.bytes())
    .digest("hex")
    .slice(0, 8);
  const text = ` This is ${file.name} of ${file.size} bytes, hash ${hash}.`;
  if (model === "gpt-4o-transcribe") {
    if (format !== "json")
      return refusal(400, `response_format '${format}' is not compatible with model '${model}'.`);
    return { status: 200, body: { text } };
  }
  if (model !== "whisper-1") return refusal(404, `The model '${model}' does not exist.`, "model_not_found");
  if (format === "json") return { status: 200, body: { text } };
  return {
    status: 200,
    body: {
      task: "transcribe",
      language: language ?? "english",
      duration: 2.5,
      text,
      segments: [{ id: 0, seek: 0, start: 0, end: 2.5, text, tokens: [], temperature: 0 }],
    },
  };
}

async function readForm({ headers, body }: SimulatorRequest): Promise<FormData | null> {
  const type = headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data")) return null;
  return await new Response(new Uint8Array(body), { headers: { "content-type": type } })
    .formData()
    .catch(() => null);
}

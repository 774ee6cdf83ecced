import { createHash, createHmac } from "node:crypto";
import { done } from "./graph-accounts.ts";
import { invalid, noSuchObject } from "./graph-error.ts";
import { requireNumber, requireToken } from "./graph-token.ts";
import type { MetaAnswer, MetaRequest } from "./meta-server.ts";
import { type MetaWorld, newId, type SimMedia } from "./meta-world.ts";

const URL_MS = 5 * 60_000;

/** `GET /{media}`: a link that is good for five minutes. */
export function getMedia(world: MetaWorld, request: MetaRequest, id: string, url: string): MetaAnswer {
  const media = requireMedia(world, request, id);
  const { phone_number_id: numberId } = request.query;
  if (numberId !== undefined && world.numbers.get(numberId)?.wabaId !== media.wabaId) {
    throw invalid("Param phone_number_id is not the number that the media belongs to");
  }
  return {
    status: 200,
    body: {
      url: mediaUrl(world, media, url),
      mime_type: media.mimeType,
      sha256: createHash("sha256").update(media.bytes).digest("hex"),
      file_size: media.bytes.length,
      id,
      messaging_product: "whatsapp",
    },
  };
}

export function deleteMedia(world: MetaWorld, request: MetaRequest, id: string): MetaAnswer {
  requireMedia(world, request, id);
  world.media.delete(id);
  return done();
}

/** `POST /{number}/media`, a form with `messaging_product`, `type` and `file`. */
export async function uploadMedia(world: MetaWorld, request: MetaRequest, id: string): Promise<MetaAnswer> {
  const number = requireNumber(world, request, id, "whatsapp_business_messaging");
  const type = request.headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data")) throw invalid("The parameter file is required.");
  const form = await new Response(new Uint8Array(request.raw), {
    headers: { "content-type": type },
  }).formData();
  if ((form.get("messaging_product") ?? request.query.messaging_product) !== "whatsapp") {
    throw invalid("The parameter messaging_product is required.");
  }
  const file = form.get("file");
  if (!(file instanceof Blob)) throw invalid("The parameter file is required.");
  const mimeType = String(form.get("type") ?? file.type);
  const media = addMedia(world, number.wabaId, Buffer.from(await file.arrayBuffer()), mimeType);
  return { status: 200, body: { id: media.id } };
}

/** The bytes themselves, from Meta's other host: not in Graph's envelope, whatever happens. */
export function downloadMedia(world: MetaWorld, request: MetaRequest, id: string): MetaAnswer {
  const { ext, hash } = request.query;
  const media = world.media.get(id);
  const plain = { "content-type": "text/plain" };
  if (media === undefined || ext === undefined || hash !== seal(world, id, ext)) {
    return { status: 404, headers: plain, body: "Not Found" };
  }
  if (Number(ext) * 1000 <= world.nowMs())
    return { status: 404, headers: plain, body: "URL signature expired" };
  if (!requireToken(world, request).wabaIds.includes(media.wabaId)) {
    return { status: 403, headers: plain, body: "Forbidden" };
  }
  return { status: 200, headers: { "content-type": media.mimeType }, body: media.bytes };
}

export function addMedia(world: MetaWorld, wabaId: string, bytes: Buffer, mimeType: string): SimMedia {
  const media = { id: newId(), wabaId, bytes, mimeType };
  world.media.set(media.id, media);
  return media;
}

function mediaUrl(world: MetaWorld, media: SimMedia, url: string): string {
  const ext = String(Math.ceil((world.nowMs() + URL_MS) / 1000));
  return `${url}/media/${media.id}?${new URLSearchParams({ ext, hash: seal(world, media.id, ext) })}`;
}

/** What a webhook carries in its `image`, `audio`, … node; the hash is in base64 there. */
export function mediaNode(world: MetaWorld, media: SimMedia, url: string): Record<string, unknown> {
  return {
    id: media.id,
    mime_type: media.mimeType,
    sha256: createHash("sha256").update(media.bytes).digest("base64"),
    url: mediaUrl(world, media, url),
  };
}

function requireMedia(world: MetaWorld, request: MetaRequest, id: string): SimMedia {
  const token = requireToken(world, request);
  const media = world.media.get(id);
  if (media === undefined || !token.wabaIds.includes(media.wabaId)) throw noSuchObject(id);
  return media;
}

function seal(world: MetaWorld, id: string, ext: string): string {
  return createHmac("sha256", world.appSecret).update(`${id}:${ext}`).digest("hex").slice(0, 32);
}

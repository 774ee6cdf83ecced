import { expect } from "vitest";
import { hex, newWorld, type TestServer, type World } from "../../test/support.ts";

export const VAPI = { provider: "vapi", voiceId: "Elliot" };
export const ELEVEN = { provider: "11labs", voiceId: "any-voice-at-all", model: "eleven_flash_v2_5" };
export const NOVA = { provider: "deepgram", model: "nova-3", language: "it" };
export const SCRIBE = { provider: "11labs", model: "scribe_v2_realtime", language: "de" };

export const voicePath = (slug: string) => `/v1/workspace/${hex(slug)}/voice-integration`;

/** A workspace with a voice integration. */
export async function newVoice(server: TestServer, fields: object = {}) {
  const world = await newWorld(server);
  const path = voicePath(world.workspaceSlug);
  const reply = await world.api.post(path, fields);
  expect(reply.body).toMatchObject({ success: true });
  const patch = (body: unknown, headers?: Record<string, string>) => world.api.patch(path, body, headers);
  return { world, path, patch, made: reply.body.voice_integration };
}

export function headersOf({ partner, accountId }: World): Record<string, string> {
  return { authorization: `Bearer ${partner.key}`, "x-account-id": accountId };
}

export function callOwner({ partner, accountId, organizationId, workspaceId }: World) {
  return { partnerId: partner.id, accountId, organizationId, workspaceId };
}

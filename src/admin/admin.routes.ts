import type { Caller } from "../http/caller.ts";
import { type Operation, operation } from "../http/operation.ts";
import { listKeys, revokeKey } from "../partners/keys.service.ts";
import { createPartner, listPartners } from "../partners/partners.service.ts";
import {
  CreateKey,
  CreatePartner,
  IssuedKeyResponse,
  KeyList,
  KeyParams,
  KeyResponse,
  PartnerList,
  PartnerParams,
  PartnerResponse,
} from "./admin.schemas.ts";
import { issueKey } from "./issue-key.ts";

// A secret must not be stored for replay, and partners have no owner under whom a result could be kept.
const common = { tag: "Administration", scope: null, tenant: "superadmin", idempotent: false } as const;

export const adminOperations: Operation[] = [
  operation({
    ...common,
    id: "listPartners",
    method: "GET",
    path: "/v1/admin/partners",
    summary: "List the partners of this installation.",
    response: { 200: PartnerList },
    handle: async (app) => ({ partners: await listPartners(app) }),
  }),
  operation({
    ...common,
    id: "createPartner",
    method: "POST",
    path: "/v1/admin/partners",
    summary: "Create a partner.",
    body: CreatePartner,
    response: { 200: PartnerResponse },
    examples: { body: { name: "Example CRM" } },
    handle: async (app, _caller, { body }) => ({
      success: true as const,
      partner: await createPartner(app, body.name),
    }),
  }),
  operation({
    ...common,
    id: "listKeys",
    method: "GET",
    path: "/v1/admin/partners/:partnerId/keys",
    summary: "List a partner's keys, without their secrets.",
    params: PartnerParams,
    response: { 200: KeyList },
    problems: ["not_found"],
    handle: async (app, _caller, { params }) => ({ api_keys: await listKeys(app, params.partnerId) }),
  }),
  operation({
    ...common,
    id: "createKey",
    method: "POST",
    path: "/v1/admin/partners/:partnerId/keys",
    summary: "Issue a key. Its secret is in this answer and nowhere else.",
    params: PartnerParams,
    body: CreateKey,
    response: { 200: IssuedKeyResponse },
    problems: ["not_found"],
    examples: { body: { name: "Production", scopes: ["workspaces:read"] } },
    handle: async (app, caller, { params, body }) => ({
      success: true as const,
      api_key: await issueKey(app, operatorOf(caller, params.partnerId), {
        name: body.name,
        scopes: body.scopes,
        accountId: body.account_id,
        workspaceSlug: body.workspace_slug,
        expiresAt: body.expires_at === undefined ? undefined : new Date(body.expires_at),
      }),
    }),
  }),
  operation({
    ...common,
    id: "revokeKey",
    method: "DELETE",
    path: "/v1/admin/partners/:partnerId/keys/:keyId",
    summary: "Revoke a key: within a second it opens nothing, in any process.",
    params: KeyParams,
    response: { 200: KeyResponse },
    problems: ["not_found"],
    handle: async (app, caller, { params }) => ({
      success: true as const,
      api_key: await revokeKey(app, operatorOf(caller, params.partnerId), params.keyId),
    }),
  }),
];

/** A superadmin acts for one partner at a time, so that both walls and the audit trail know whose things these are. */
function operatorOf(caller: Caller, partnerId: string): Caller {
  return { ...caller, partnerId };
}

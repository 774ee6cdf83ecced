import { type Operation, operation } from "../http/operation.ts";
import { ForceQuery, PageQuery } from "../http/schemas.ts";
import { ErasureDone, ErasureUnderWay } from "../jobs/erasure.ts";
import {
  CreateOrganization,
  OrganizationFetched,
  OrganizationList,
  OrganizationParams,
  OrganizationResponse,
  UpdateOrganization,
} from "./organizations.schemas.ts";
import {
  createOrganization,
  deleteOrganization,
  getOrganization,
  listOrganizations,
  updateOrganization,
} from "./organizations.service.ts";

const tag = "Organizations";

export const organizationOperations: Operation[] = [
  operation({
    id: "listOrganizations",
    method: "GET",
    path: "/v1/orgs",
    tag,
    scope: "organizations:read",
    tenant: "partner-or-account",
    summary: "List organizations, newest first.",
    description: "With `X-Account-Id` those of that account, without it those of all your accounts.",
    query: PageQuery,
    response: { 200: OrganizationList },
    handle: (app, caller, { query }) => listOrganizations(app, caller, query),
  }),
  operation({
    id: "createOrganization",
    method: "POST",
    path: "/v1/orgs",
    tag,
    scope: "organizations:write",
    tenant: "account",
    summary: "Create an organization in an account.",
    body: CreateOrganization,
    response: { 200: OrganizationResponse },
    problems: ["conflict"],
    examples: { body: { name: "Acme" } },
    handle: (app, caller, { body }) => createOrganization(app, caller, body),
  }),
  operation({
    id: "getOrganization",
    method: "GET",
    path: "/v1/org/:orgSlug",
    tag,
    scope: "organizations:read",
    tenant: "organization",
    summary: "Get one organization, with how much it holds.",
    params: OrganizationParams,
    response: { 200: OrganizationFetched },
    problems: ["not_found"],
    handle: (app, caller, { params }) => getOrganization(app, caller, params.orgSlug),
  }),
  operation({
    id: "updateOrganization",
    method: "POST",
    path: "/v1/org/:orgSlug/update",
    tag,
    scope: "organizations:write",
    tenant: "organization",
    summary: "Rename an organization. Its slug stays.",
    params: OrganizationParams,
    body: UpdateOrganization,
    response: { 200: OrganizationResponse },
    problems: ["not_found"],
    examples: { body: { name: "Acme International" } },
    handle: (app, caller, { params, body }) => updateOrganization(app, caller, params.orgSlug, body),
  }),
  operation({
    id: "deleteOrganization",
    method: "DELETE",
    path: "/v1/org/:orgSlug",
    tag,
    scope: "organizations:write",
    tenant: "organization",
    summary: "Erase an organization and everything beneath it.",
    description:
      "It is out of reach at once. What takes longer goes on as a job: then the answer is 202. While somebody is on " +
      "the phone with one of its assistants it is refused, unless `force=true`.",
    params: OrganizationParams,
    query: ForceQuery,
    response: { 200: ErasureDone, 202: ErasureUnderWay },
    problems: ["not_found", "conflict"],
    handle: (app, caller, { params, query }) =>
      deleteOrganization(app, caller, params.orgSlug, query.force ?? false),
  }),
];

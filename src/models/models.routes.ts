import { type Operation, operation } from "../http/operation.ts";
import { PageQuery, Success } from "../http/schemas.ts";
import { OrganizationParams } from "../organizations/organizations.schemas.ts";
import {
  ModelProviderPage,
  ModelProviderParams,
  ModelProviderResponse,
  PutModelProvider,
} from "./models.schemas.ts";
import { deleteModelProvider, listModelProviders, putModelProvider } from "./models.service.ts";

const tag = "Models";

export const modelOperations: Operation[] = [
  operation({
    id: "listModelProviders",
    method: "GET",
    path: "/v1/org/:orgSlug/model-providers",
    tag,
    scope: "models:read",
    tenant: "organization",
    summary: "List an organization's own model providers, last changed first. Keys are never shown.",
    params: OrganizationParams,
    query: PageQuery,
    response: { 200: ModelProviderPage },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) => listModelProviders(app, caller, params.orgSlug, query),
  }),
  operation({
    id: "saveModelProvider",
    method: "POST",
    path: "/v1/org/:orgSlug/model-providers",
    tag,
    scope: "models:write",
    tenant: "organization",
    summary: "Give an organization its own credentials for a model provider.",
    description:
      "They are used instead of the installation's wherever a workspace chooses this provider. What was stored for " +
      "the provider before is replaced as a whole. The key is encrypted and never returned.",
    params: OrganizationParams,
    body: PutModelProvider,
    response: { 200: ModelProviderResponse },
    problems: ["not_found"],
    examples: { body: { provider: "mistral", api_key: "s3cr3t", models: ["mistral-large-latest"] } },
    handle: (app, caller, { params, body }) => putModelProvider(app, caller, params.orgSlug, body),
  }),
  operation({
    id: "deleteModelProvider",
    method: "DELETE",
    path: "/v1/org/:orgSlug/model-providers/:provider",
    tag,
    scope: "models:write",
    tenant: "organization",
    summary: "Forget an organization's credentials for a model provider.",
    description:
      "Workspaces that chose it go on with the installation's credentials for it, if there are any, else with the " +
      "fall-back models.",
    params: OrganizationParams.extend(ModelProviderParams.shape),
    response: { 200: Success },
    problems: ["not_found"],
    handle: (app, caller, { params }) => deleteModelProvider(app, caller, params.orgSlug, params.provider),
  }),
];

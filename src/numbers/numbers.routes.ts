import { type Operation, operation } from "../http/operation.ts";
import { PageQuery } from "../http/schemas.ts";
import { OrganizationParams } from "../organizations/organizations.schemas.ts";
import { listNumbers, listOrganizationNumbers } from "./list-numbers.ts";
import {
  AnswerNumberRequest,
  CreateNumberRequest,
  NumberList,
  NumberQuery,
  NumberRequestFetched,
  NumberRequestList,
  NumberRequestParams,
  NumberRequestQuery,
  NumberRequestResponse,
} from "./numbers.schemas.ts";
import {
  answerNumberRequest,
  cancelNumberRequest,
  createNumberRequest,
  getNumberRequest,
  listNumberRequests,
} from "./requests.service.ts";

const reading = { tag: "Numbers", tenant: "organization", method: "GET", scope: "numbers:read" } as const;
const writing = { tag: "Numbers", tenant: "organization", method: "POST", scope: "numbers:write" } as const;

export const numberOperations: Operation[] = [
  operation({
    ...reading,
    id: "listNumberRequests",
    path: "/v1/org/:orgSlug/number-requests",
    summary: "List an organization's requests for numbers, newest first.",
    params: OrganizationParams,
    query: NumberRequestQuery,
    response: { 200: NumberRequestList },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) => listNumberRequests(app, caller, params.orgSlug, query),
  }),
  operation({
    ...writing,
    id: "createNumberRequest",
    path: "/v1/org/:orgSlug/number-requests",
    summary: "Ask for telephone numbers.",
    description:
      "Whoever runs the installation approves it; then a carrier or a human provides the numbers. The event " +
      "`number_request.updated` tells you of every step, and `next_step` what you must do yourself.",
    params: OrganizationParams,
    body: CreateNumberRequest,
    response: { 200: NumberRequestResponse },
    problems: ["not_found"],
    examples: { body: { country: "DE", number_type: "local", area_code: "30", quantity: 1 } },
    handle: (app, caller, { params, body }) => createNumberRequest(app, caller, params.orgSlug, body),
  }),
  operation({
    ...reading,
    id: "getNumberRequest",
    path: "/v1/org/:orgSlug/number-requests/:requestId",
    summary: "Get one request, with its history and the numbers it has so far.",
    params: NumberRequestParams,
    response: { 200: NumberRequestFetched },
    problems: ["not_found"],
    handle: (app, caller, { params }) => getNumberRequest(app, caller, params.orgSlug, params.requestId),
  }),
  operation({
    ...writing,
    id: "cancelNumberRequest",
    path: "/v1/org/:orgSlug/number-requests/:requestId/cancel",
    summary: "Withdraw a request; refused while numbers are being ordered for it, and when it is over.",
    description: "Numbers that it has already stay the organization's.",
    params: NumberRequestParams,
    response: { 200: NumberRequestResponse },
    problems: ["not_found", "conflict"],
    handle: (app, caller, { params }) => cancelNumberRequest(app, caller, params.orgSlug, params.requestId),
  }),
  operation({
    ...writing,
    id: "answerNumberRequest",
    path: "/v1/org/:orgSlug/number-requests/:requestId/respond",
    summary: "Answer a request that is `action_required`: it is looked at again.",
    description: "Your notes are kept in its history.",
    params: NumberRequestParams,
    body: AnswerNumberRequest,
    response: { 200: NumberRequestResponse },
    problems: ["not_found", "conflict"],
    examples: { body: { notes: "The trade licence is uploaded; our reference is A-1001." } },
    handle: (app, caller, { params, body }) =>
      answerNumberRequest(app, caller, params.orgSlug, params.requestId, body.notes),
  }),
  operation({
    ...reading,
    tenant: "account",
    id: "listNumbers",
    path: "/v1/numbers",
    summary: "List the account's numbers, or one organization's, newest first.",
    query: NumberQuery,
    response: { 200: NumberList },
    problems: ["not_found"],
    handle: (app, caller, { query }) => listNumbers(app, caller, query),
  }),
  operation({
    ...reading,
    id: "listOrganizationNumbers",
    path: "/v1/org/:orgSlug/numbers",
    summary: "List an organization's numbers, newest first.",
    params: OrganizationParams,
    query: PageQuery,
    response: { 200: NumberList },
    problems: ["not_found"],
    handle: (app, caller, { params, query }) => listOrganizationNumbers(app, caller, params.orgSlug, query),
  }),
];

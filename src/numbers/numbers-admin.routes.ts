import { type Operation, operation } from "../http/operation.ts";
import { attachNumber } from "./attach.ts";
import { decideRequest, listAllNumbers, listAllRequests, provisionRequest } from "./fulfil.ts";
import {
  AdminNumberList,
  AdminNumberParams,
  AdminNumberQuery,
  AdminNumberResponse,
  AdminRequestList,
  AdminRequestParams,
  AdminRequestQuery,
  AdminRequestResponse,
  ApproveNumberRequest,
  AttachNumber,
  ProvisionNumberRequest,
  RefuseNumberRequest,
  RequireAction,
} from "./numbers.schemas.ts";
import { releaseNumber } from "./release.ts";

// A superadmin belongs to no partner under whom a result could be kept for an Idempotency-Key. Each of these moves is
// refused when it is repeated, so that nothing is done twice.
const common = { tag: "Administration", scope: null, tenant: "superadmin", idempotent: false } as const;
const moving = {
  ...common,
  method: "POST",
  params: AdminRequestParams,
  response: { 200: AdminRequestResponse },
} as const;

export const numberAdminOperations: Operation[] = [
  operation({
    ...common,
    id: "listAllNumberRequests",
    method: "GET",
    path: "/v1/admin/number-requests",
    summary: "List everybody's requests for numbers, newest first.",
    query: AdminRequestQuery,
    response: { 200: AdminRequestList },
    handle: (app, _caller, { query }) => listAllRequests(app, query),
  }),
  operation({
    ...moving,
    id: "reviewNumberRequest",
    path: "/v1/admin/number-requests/:requestId/review",
    summary: "Take a request into review.",
    problems: ["not_found", "conflict"],
    handle: (app, caller, { params }) => decideRequest(app, caller, params.requestId, { to: "in_review" }),
  }),
  operation({
    ...moving,
    id: "approveNumberRequest",
    path: "/v1/admin/number-requests/:requestId/approve",
    summary: "Approve a request. Numbers are then attached by hand, or provided by the carrier.",
    body: ApproveNumberRequest,
    problems: ["not_found", "conflict"],
    examples: { body: {} },
    handle: (app, caller, { params, body }) =>
      decideRequest(app, caller, params.requestId, { to: "approved", reason: body.reason }),
  }),
  operation({
    ...moving,
    id: "rejectNumberRequest",
    path: "/v1/admin/number-requests/:requestId/reject",
    summary: "Reject a request, with a reason that the partner reads.",
    body: RefuseNumberRequest,
    problems: ["not_found", "conflict"],
    examples: { body: { reason: "We offer no numbers in this country." } },
    handle: (app, caller, { params, body }) =>
      decideRequest(app, caller, params.requestId, { to: "rejected", reason: body.reason }),
  }),
  operation({
    ...moving,
    id: "requireActionOnNumberRequest",
    path: "/v1/admin/number-requests/:requestId/action-required",
    summary: "Ask the partner for something that a request in review lacks.",
    body: RequireAction,
    problems: ["not_found", "conflict"],
    examples: { body: { reason: "Germany wants proof of an address in Berlin." } },
    handle: (app, caller, { params, body }) =>
      decideRequest(app, caller, params.requestId, {
        to: "action_required",
        reason: body.reason,
        nextStep: body.next_step,
      }),
  }),
  operation({
    ...moving,
    id: "attachNumber",
    path: "/v1/admin/number-requests/:requestId/attach",
    summary: "Give an approved request a number that there is already; the last one fulfils it.",
    description:
      "The number must be of the country and type that were asked for. If a carrier is configured it is asked whether " +
      "the number is ours there; else it counts as bought by hand.",
    body: AttachNumber,
    problems: ["not_found", "conflict", "provider_failed"],
    examples: { body: { number: "+493012345678" } },
    handle: (app, caller, { params, body }) => attachNumber(app, caller, params.requestId, body),
  }),
  operation({
    ...moving,
    id: "provisionNumberRequest",
    path: "/v1/admin/number-requests/:requestId/provision",
    summary: "Let the carrier provide an approved request's numbers. It costs money.",
    description: "They are ordered in the background: never twice, whatever fails on the way.",
    body: ProvisionNumberRequest,
    problems: ["not_found", "conflict"],
    examples: { body: {} },
    handle: (app, caller, { params, body }) => provisionRequest(app, caller, params.requestId, body),
  }),
  operation({
    ...moving,
    id: "failNumberRequest",
    path: "/v1/admin/number-requests/:requestId/fail",
    summary: "Give up a request that is being provisioned. What was bought for it stays the organization's.",
    body: RefuseNumberRequest,
    problems: ["not_found", "conflict"],
    examples: { body: { reason: "The carrier has no such numbers for months." } },
    handle: (app, caller, { params, body }) =>
      decideRequest(app, caller, params.requestId, { to: "failed", reason: body.reason }),
  }),
  operation({
    ...common,
    id: "listAllNumbers",
    method: "GET",
    path: "/v1/admin/numbers",
    summary: "List the numbers of the pool, or all of the installation, newest first.",
    query: AdminNumberQuery,
    response: { 200: AdminNumberList },
    handle: (app, _caller, { query }) => listAllNumbers(app, query),
  }),
  operation({
    ...common,
    id: "releaseNumber",
    method: "POST",
    path: "/v1/admin/numbers/:numberId/release",
    summary: "Give a number back to its carrier; refused while an assistant answers it.",
    description: "While the carrier has not taken it back its status is `releasing`, and it is asked again.",
    params: AdminNumberParams,
    response: { 200: AdminNumberResponse },
    problems: ["not_found", "conflict"],
    handle: (app, caller, { params }) => releaseNumber(app, caller, params.numberId),
  }),
];

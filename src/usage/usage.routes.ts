import { type Operation, operation } from "../http/operation.ts";
import { Usage, UsageQuery } from "./usage.schemas.ts";
import { getUsage } from "./usage.service.ts";

export const usageOperations: Operation[] = [
  operation({
    id: "getUsage",
    method: "GET",
    path: "/v1/usage",
    tag: "Usage",
    scope: "usage:read",
    tenant: "partner-or-account",
    summary: "What each organization used, by UTC day, the latest day first.",
    description:
      "Of all your accounts; with `X-Account-Id`, of that account. Days without any use are left out. Searches of " +
      "the last second may be missing.",
    query: UsageQuery,
    response: { 200: Usage },
    problems: ["not_found"],
    handle: (app, caller, { query }) => getUsage(app, caller, query),
  }),
];

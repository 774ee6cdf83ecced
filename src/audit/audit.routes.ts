import { type Operation, operation } from "../http/operation.ts";
import { AuditEventList, AuditQuery } from "./audit.schemas.ts";
import { listAuditEvents } from "./audit.service.ts";

export const auditOperations: Operation[] = [
  operation({
    id: "listAuditEvents",
    method: "GET",
    path: "/v1/audit-events",
    tag: "Audit",
    scope: "audit:read",
    tenant: "partner-or-account",
    summary: "List what was changed, by which key.",
    description: "The partner's whole trail; with `X-Account-Id`, that account's.",
    query: AuditQuery,
    response: { 200: AuditEventList },
    handle: (app, caller, { query }) => listAuditEvents(app, caller, query),
  }),
];

import { z } from "zod";
import { isoTime, nextCursor, PageQuery } from "../http/schemas.ts";

export const AuditEvent = z
  .object({
    id: z.uuid(),
    account_id: z.uuid().nullable(),
    organization_id: z.int().nullable(),
    workspace_id: z.int().nullable(),
    actor: z.object({
      kind: z.enum(["key", "superadmin", "system"]),
      id: z.string().nullable().meta({ example: "0192f0c1-2b3c-7d4e-8f50-61728394a5b6" }),
    }),
    action: z.string().meta({ example: "workspace.updated" }),
    resource: z.object({
      type: z.string().meta({ example: "workspace" }),
      id: z.string().meta({ example: "1" }),
    }),
    details: z.record(z.string(), z.unknown()).meta({ example: { fields: ["topN"] } }),
    request_id: z.string().nullable().meta({ example: "req-1f3a9c04-2s" }),
    created_at: isoTime,
  })
  .meta({ id: "AuditEvent" });
export type AuditEvent = z.output<typeof AuditEvent>;

/** With or without fractions of a second: people type it. */
const time = z.iso.datetime();

export const AuditQuery = PageQuery.extend({
  action: z
    .string()
    .max(100)
    .optional()
    .meta({ description: "Only this action.", example: "workspace.updated" }),
  resource_type: z.string().max(100).optional().meta({ description: "Only this kind of thing." }),
  resource_id: z.string().max(100).optional().meta({ description: "Only this thing." }),
  from: time.optional().meta({ description: "From this time on (ISO 8601, UTC)." }),
  to: time.optional().meta({ description: "Before this time (ISO 8601, UTC)." }),
});
export type AuditQuery = z.output<typeof AuditQuery>;

export const AuditEventList = z
  .object({ audit_events: z.array(AuditEvent), next_cursor: nextCursor })
  .meta({ id: "AuditEventList" });

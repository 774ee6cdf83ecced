/** The role every connection rests in. Row-level security lets it see only the tenant of its transaction. */
export const TENANT_ROLE = "lumenone_tenant";
/** The role `asSystem` elevates to for one transaction: keys, jobs, webhook inboxes, superadmin. */
export const SYSTEM_ROLE = "lumenone_system";

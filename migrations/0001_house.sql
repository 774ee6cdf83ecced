-- Partners, keys, accounts, organizations, workspaces, tools; the audit trail, idempotency records and the job queue.
--
-- Two roles use these tables (created before the first migration runs):
--   lumenone_tenant  sees the rows of the tenant its transaction names; with none named, no row at all
--   lumenone_system  sees every row; only asSystem() takes it on
-- Every tenant table carries partner_id and account_id and, below it, organization_id, has one tenant policy, and
-- refers to its parents by composite keys, because foreign-key checks bypass policies.

create function tenant_partner() returns uuid language sql stable parallel safe
  return nullif(current_setting('app.partner_id', true), '')::uuid;
create function tenant_account() returns uuid language sql stable parallel safe
  return nullif(current_setting('app.account_id', true), '')::uuid;
create function tenant_workspace() returns integer language sql stable parallel safe
  return nullif(current_setting('app.workspace_id', true), '')::integer;

-- What other processes must notice within a second: a row's version grows, and a notification goes out.
create table signals (
  name text primary key,
  version bigint not null default 1
);
insert into signals (name) values ('access');
grant select, update on signals to lumenone_tenant, lumenone_system;

create table partners (
  id uuid primary key,
  name text not null,
  created_at timestamptz not null default now()
);
alter table partners enable row level security;
alter table partners force row level security;
create policy tenant on partners for select to lumenone_tenant using (id = tenant_partner());
create policy system on partners to lumenone_system using (true) with check (true);
grant select on partners to lumenone_tenant;
grant select, insert, update, delete on partners to lumenone_system;

create table accounts (
  partner_id uuid not null references partners (id) on delete cascade,
  id uuid primary key,
  name text not null,
  external_id text,
  allowed_origins text[] not null default '{}',
  suspended_at timestamptz,
  erasing_at timestamptz,
  created_at timestamptz not null default now(),
  unique (partner_id, id)
);
create unique index accounts_external_id on accounts (partner_id, external_id) where erasing_at is null;
alter table accounts enable row level security;
alter table accounts force row level security;
create policy tenant on accounts to lumenone_tenant
  using (partner_id = tenant_partner() and (tenant_account() is null or id = tenant_account()))
  with check (partner_id = tenant_partner() and (tenant_account() is null or id = tenant_account()));
create policy system on accounts to lumenone_system using (true) with check (true);
grant select, insert, update on accounts to lumenone_tenant;
grant select, insert, update, delete on accounts to lumenone_system;

create table organizations (
  partner_id uuid not null,
  account_id uuid not null,
  id integer generated always as identity primary key,
  name text not null,
  slug text not null,
  erasing_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (partner_id, account_id, id),
  foreign key (partner_id, account_id) references accounts (partner_id, id) on delete cascade
);
create unique index organizations_slug on organizations (account_id, slug) where erasing_at is null;
create index organizations_page on organizations (account_id, id desc) where erasing_at is null;
create index organizations_partner_page on organizations (partner_id, id desc) where erasing_at is null;
alter table organizations enable row level security;
alter table organizations force row level security;
create policy tenant on organizations to lumenone_tenant
  using (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()))
  with check (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()));
create policy system on organizations to lumenone_system using (true) with check (true);
grant select, insert, update on organizations to lumenone_tenant;
grant select, insert, update, delete on organizations to lumenone_system;

create table workspaces (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  id integer generated always as identity primary key,
  name text not null,
  slug text not null,
  open_ai_temp double precision,
  open_ai_history integer not null default 20,
  open_ai_prompt text,
  similarity_threshold double precision not null default 0.25,
  top_n integer not null default 4,
  chat_mode text not null default 'automatic',
  chat_provider text,
  chat_model text,
  agent_provider text,
  agent_model text,
  query_refusal_response text,
  vector_search_mode text not null default 'default',
  erasing_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (organization_id, id),
  unique (partner_id, account_id, organization_id, id),
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade
);
create unique index workspaces_slug on workspaces (account_id, slug) where erasing_at is null;
create index workspaces_page on workspaces (organization_id, id desc) where erasing_at is null;
alter table workspaces enable row level security;
alter table workspaces force row level security;
create policy tenant on workspaces to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or id = tenant_workspace()));
create policy system on workspaces to lumenone_system using (true) with check (true);
grant select, insert, update on workspaces to lumenone_tenant;
grant select, insert, update, delete on workspaces to lumenone_system;

-- A key is found by its hash before anybody knows whose it is, so only the system role reads this table.
create table api_keys (
  id uuid primary key,
  -- null: a superadmin's key
  partner_id uuid references partners (id) on delete cascade,
  account_id uuid,
  organization_id integer,
  workspace_id integer,
  name text not null,
  prefix text not null,
  hash bytea not null unique,
  -- null: everything
  scopes text[],
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  check (partner_id is not null or account_id is null),
  check (account_id is not null or workspace_id is null),
  check ((workspace_id is null) = (organization_id is null)),
  foreign key (partner_id, account_id) references accounts (partner_id, id) on delete cascade,
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade
);
create index api_keys_partner on api_keys (partner_id);
create index api_keys_account on api_keys (account_id) where account_id is not null;
create index api_keys_workspace on api_keys (workspace_id) where workspace_id is not null;
alter table api_keys enable row level security;
alter table api_keys force row level security;
create policy system on api_keys to lumenone_system using (true) with check (true);
grant select, insert, update, delete on api_keys to lumenone_system;

create table tools (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  id uuid primary key,
  name text not null,
  description text not null,
  kind text not null,
  enabled boolean not null,
  parameters json not null,
  -- `json`, not `jsonb`: it comes back as it was sent. Without its secrets, which are in `secrets`, encrypted.
  http json,
  mcp json,
  secrets text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (organization_id, id),
  unique (organization_id, name),
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade
);
create index tools_page on tools (organization_id, id desc);
alter table tools enable row level security;
alter table tools force row level security;
create policy tenant on tools to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account())
  with check (partner_id = tenant_partner() and account_id = tenant_account());
create policy system on tools to lumenone_system using (true) with check (true);
grant select, insert, update, delete on tools to lumenone_tenant, lumenone_system;

create table workspace_tools (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  tool_id uuid not null,
  attached_at timestamptz not null default now(),
  primary key (workspace_id, tool_id),
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade,
  foreign key (organization_id, tool_id) references tools (organization_id, id) on delete cascade
);
create index workspace_tools_tool on workspace_tools (tool_id);
alter table workspace_tools enable row level security;
alter table workspace_tools force row level security;
create policy tenant on workspace_tools to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on workspace_tools to lumenone_system using (true) with check (true);
grant select, insert, update, delete on workspace_tools to lumenone_tenant, lumenone_system;

-- Who changed what. Written in the transaction of the change; never updated. Ids and field names only, so that an
-- erased account leaves no name behind. No foreign keys: the trail outlives what it speaks of.
create table audit_events (
  partner_id uuid not null,
  account_id uuid,
  organization_id integer,
  workspace_id integer,
  id uuid primary key,
  actor_kind text not null,
  actor_id uuid,
  action text not null,
  resource_type text not null,
  resource_id text not null,
  details jsonb not null default '{}',
  request_id text,
  created_at timestamptz not null default now()
);
create index audit_events_partner_page on audit_events (partner_id, id desc);
create index audit_events_account_page on audit_events (account_id, id desc);
alter table audit_events enable row level security;
alter table audit_events force row level security;
create policy tenant on audit_events to lumenone_tenant
  using (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()))
  with check (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()));
create policy system on audit_events to lumenone_system using (true) with check (true);
grant select, insert on audit_events to lumenone_tenant, lumenone_system;

-- One row an Idempotency-Key. `result` is set in the transaction that did the work, so a crash leaves either nothing
-- done and nothing recorded, or both.
create table idempotency_keys (
  partner_id uuid not null references partners (id) on delete cascade,
  account_id uuid,
  caller text not null,
  key text not null,
  request_hash bytea not null,
  -- the attempt that may write the result; a later attempt replaces it once the lease is over
  attempt uuid not null,
  leased_until timestamptz not null,
  status integer,
  result json,
  created_at timestamptz not null default now(),
  primary key (caller, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);
create index idempotency_keys_account on idempotency_keys (account_id);
alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
create policy tenant on idempotency_keys to lumenone_tenant
  using (partner_id = tenant_partner()) with check (partner_id = tenant_partner());
create policy system on idempotency_keys to lumenone_system using (true) with check (true);
grant select, insert, update on idempotency_keys to lumenone_tenant;
grant select, insert, update, delete on idempotency_keys to lumenone_system;

-- Work to do later. No foreign keys: the job that erases an account must outlive it.
create table jobs (
  partner_id uuid not null,
  account_id uuid,
  organization_id integer,
  workspace_id integer,
  id uuid primary key,
  kind text not null,
  -- whose turn it is: workers serve lanes fairly, whatever the number of jobs in each
  lane text not null,
  -- the same key twice, while the first is not finished, is one job
  key text,
  payload jsonb not null,
  status text not null default 'queued' check (status in ('queued', 'running', 'succeeded', 'failed')),
  attempts integer not null default 0,
  max_attempts integer not null,
  -- queued: not before; running: the lease ends
  due_at timestamptz not null default now(),
  progress jsonb not null default '{}',
  result jsonb,
  error jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  finished_at timestamptz
);
create index jobs_due on jobs (lane, due_at) where status in ('queued', 'running');
create index jobs_running on jobs (lane) where status = 'running';
create index jobs_finished on jobs (finished_at) where status in ('succeeded', 'failed');
create index jobs_account on jobs (account_id);
create unique index jobs_key on jobs (kind, key) where key is not null and status in ('queued', 'running');
alter table jobs enable row level security;
alter table jobs force row level security;
create policy tenant on jobs to lumenone_tenant
  using (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account())
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account())
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on jobs to lumenone_system using (true) with check (true);
grant select, insert on jobs to lumenone_tenant;
grant select, insert, update, delete on jobs to lumenone_system;

-- What assistants called, and how it ended: one row for every call, also for one that was refused.

create table tool_calls (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  -- grows with time
  id uuid primary key,
  -- null for what is built in, and once the tool is deleted
  tool_id uuid,
  -- as the model called it
  tool_name text not null,
  -- No foreign key: a call is recorded while its turn is under way, and the turn may create the conversation at its end.
  conversation_id uuid,
  turn_id uuid not null,
  -- SHA-256 of the arguments as canonical JSON (RFC 8785); the arguments themselves are kept nowhere
  arguments_sha256 text not null,
  status text not null check (status in ('ok', 'failed')),
  code text check ((code is null) = (status = 'ok')),
  http_status integer,
  ms integer not null,
  bytes integer not null,
  created_at timestamptz not null default now(),
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade,
  foreign key (organization_id, tool_id) references tools (organization_id, id) on delete set null (tool_id)
);
alter table tool_calls enable row level security;
alter table tool_calls force row level security;
create policy tenant on tool_calls to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on tool_calls to lumenone_system using (true) with check (true);
grant select, insert, update, delete on tool_calls to lumenone_tenant, lumenone_system;
create index tool_calls_page on tool_calls (workspace_id, id desc);
create index tool_calls_tool on tool_calls (tool_id, id desc) where tool_id is not null;
create index tool_calls_conversation on tool_calls (conversation_id) where conversation_id is not null;
create index tool_calls_age on tool_calls (workspace_id, created_at);
create index tool_calls_place on tool_calls (account_id, organization_id);

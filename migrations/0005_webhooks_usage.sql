-- What partners are told (webhooks), and what is counted (usage).

-- Whether the partner ever had an endpoint: without one, an event costs a look-up and leaves nothing behind.
alter table partners add column has_webhooks boolean not null default false;

-- Where a partner, or one of its accounts, wants to be told.
create table webhook_endpoints (
  partner_id uuid not null references partners (id) on delete cascade,
  -- null: it hears of all of the partner's accounts
  account_id uuid,
  id uuid primary key,
  url text not null,
  description text,
  -- null: all
  events text[],
  -- sealed; while the previous one is valid, both sign
  secret text not null,
  previous_secret text,
  previous_secret_until timestamptz,
  -- since when no delivery has succeeded
  failing_since timestamptz,
  disabled_at timestamptz,
  disabled_reason text check (disabled_reason in ('manual', 'gone', 'failing')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (partner_id, id),
  check ((disabled_at is null) = (disabled_reason is null)),
  foreign key (partner_id, account_id) references accounts (partner_id, id) on delete cascade
);
create index webhook_endpoints_account on webhook_endpoints (account_id);
alter table webhook_endpoints enable row level security;
alter table webhook_endpoints force row level security;
create policy tenant on webhook_endpoints to lumenone_tenant
  using (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()))
  with check (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()));
create policy system on webhook_endpoints to lumenone_system using (true) with check (true);
grant select, insert, update, delete on webhook_endpoints to lumenone_tenant, lumenone_system;

-- How many events a subject has had: whoever counts the next one holds the row until the commit, so that the numbers
-- of one subject grow in the order of its commits. Of no workspace: a document goes on being numbered when one of its
-- workspaces is erased.
create table webhook_sequences (
  partner_id uuid not null references partners (id) on delete cascade,
  account_id uuid,
  organization_id integer,
  subject_kind text not null,
  subject_id text not null,
  sequence bigint not null default 1,
  primary key (partner_id, subject_kind, subject_id),
  foreign key (partner_id, account_id) references accounts (partner_id, id) on delete cascade,
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade
);
create index webhook_sequences_account on webhook_sequences (account_id);
create index webhook_sequences_organization on webhook_sequences (organization_id);
alter table webhook_sequences enable row level security;
alter table webhook_sequences force row level security;
create policy tenant on webhook_sequences to lumenone_tenant
  using (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()))
  with check (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()));
create policy system on webhook_sequences to lumenone_system using (true) with check (true);
grant select, insert, update on webhook_sequences to lumenone_tenant;
grant select, insert, update, delete on webhook_sequences to lumenone_system;

-- The outbox: written in the transaction of what happened.
create table webhook_events (
  partner_id uuid not null references partners (id) on delete cascade,
  account_id uuid,
  organization_id integer,
  workspace_id integer,
  -- what receivers know as `webhook-id`
  id uuid primary key,
  type text not null,
  subject_kind text not null,
  subject_id text not null,
  sequence bigint not null,
  -- `json`, not `jsonb`: every attempt sends the same bytes
  data json not null,
  is_fanned_out boolean not null default false,
  created_at timestamptz not null default now(),
  unique (partner_id, id),
  foreign key (partner_id, account_id) references accounts (partner_id, id) on delete cascade,
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade,
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade
);
create index webhook_events_fresh on webhook_events (id) where not is_fanned_out;
create index webhook_events_age on webhook_events (created_at);
create index webhook_events_account on webhook_events (account_id);
create index webhook_events_organization on webhook_events (organization_id);
create index webhook_events_workspace on webhook_events (workspace_id);
alter table webhook_events enable row level security;
alter table webhook_events force row level security;
create policy tenant on webhook_events to lumenone_tenant
  using (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()))
  with check (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()));
create policy system on webhook_events to lumenone_system using (true) with check (true);
grant select, insert on webhook_events to lumenone_tenant;
grant select, insert, update, delete on webhook_events to lumenone_system;

-- One event on its way to one endpoint.
create table webhook_deliveries (
  partner_id uuid not null,
  account_id uuid,
  endpoint_id uuid not null,
  event_id uuid not null,
  -- held: the endpoint is disabled; a replay sends it
  status text not null check (status in ('pending', 'sending', 'delivered', 'failed', 'held')),
  -- all of them; also fences a sender whose lease went to another
  attempts integer not null default 0,
  -- those since it was queued, which is when the 24 h of its retries began
  retries integer not null default 0,
  queued_at timestamptz not null default now(),
  -- pending: not before; sending: the lease ends
  due_at timestamptz not null default now(),
  last_attempt_at timestamptz,
  delivered_at timestamptz,
  response_status integer,
  response_ms integer,
  error text,
  primary key (endpoint_id, event_id),
  foreign key (partner_id, endpoint_id) references webhook_endpoints (partner_id, id) on delete cascade,
  foreign key (partner_id, event_id) references webhook_events (partner_id, id) on delete cascade
);
create index webhook_deliveries_due on webhook_deliveries (endpoint_id, due_at) where status in ('pending', 'sending');
create index webhook_deliveries_event on webhook_deliveries (event_id);
alter table webhook_deliveries enable row level security;
alter table webhook_deliveries force row level security;
create policy tenant on webhook_deliveries to lumenone_tenant
  using (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()))
  with check (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()));
create policy system on webhook_deliveries to lumenone_system using (true) with check (true);
grant select, update on webhook_deliveries to lumenone_tenant;
grant select, insert, update, delete on webhook_deliveries to lumenone_system;

-- What an organization used in a UTC day. Many rows a day (`shard`), added up when they are read, so that those who
-- count at the same moment do not wait for one another.
create table usage_counts (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  -- 0: of no workspace. No foreign key: what a workspace used outlives it.
  workspace_id integer not null default 0,
  day date not null,
  shard smallint not null,
  messages bigint not null default 0,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  searches bigint not null default 0,
  documents bigint not null default 0,
  call_seconds bigint not null default 0,
  primary key (organization_id, day, workspace_id, shard),
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade
) with (fillfactor = 50);
create index usage_counts_account on usage_counts (account_id, day);
create index usage_counts_partner on usage_counts (partner_id, day);
alter table usage_counts enable row level security;
alter table usage_counts force row level security;
create policy tenant on usage_counts to lumenone_tenant
  using (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()))
  with check (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()));
create policy system on usage_counts to lumenone_system using (true) with check (true);
grant select, insert, update on usage_counts to lumenone_tenant;
grant select, insert, update, delete on usage_counts to lumenone_system;

-- The most an organization stored in a UTC day, as far as it was looked at.
create table usage_storage (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  day date not null,
  bytes bigint not null,
  primary key (organization_id, day),
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade
);
create index usage_storage_account on usage_storage (account_id, day);
create index usage_storage_partner on usage_storage (partner_id, day);
alter table usage_storage enable row level security;
alter table usage_storage force row level security;
create policy tenant on usage_storage to lumenone_tenant
  using (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()))
  with check (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()));
create policy system on usage_storage to lumenone_system using (true) with check (true);
grant select on usage_storage to lumenone_tenant;
grant select, insert, update, delete on usage_storage to lumenone_system;

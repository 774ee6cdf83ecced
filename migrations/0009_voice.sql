-- Voice: how a workspace's assistant speaks on the phone, and every call that it had.

-- A workspace's assistant on the phone; at most one a workspace.
create table voice_integrations (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  id uuid primary key,
  engine text not null check (engine in ('relay', 'vapi')),
  -- empty: the caller speaks first
  first_message text not null,
  -- beside the workspace's own prompt
  prompt text not null,
  voice json not null,
  transcriber json not null,
  fallback_voices json not null,
  fallback_transcribers json not null,
  number_id integer,
  -- grows with every change; what If-Match compares
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint voice_integrations_workspace unique (workspace_id),
  unique (partner_id, account_id, organization_id, workspace_id, id),
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade,
  -- A linked number cannot leave its organization: it is unlinked first.
  constraint voice_integrations_number_owner foreign key (partner_id, account_id, organization_id, number_id)
    references numbers (partner_id, account_id, organization_id, id)
);
-- A number rings in one place, in the whole installation and under races.
create unique index voice_integrations_number on voice_integrations (number_id) where number_id is not null;
create index voice_integrations_place on voice_integrations (account_id, organization_id);
alter table voice_integrations enable row level security;
alter table voice_integrations force row level security;
create policy tenant on voice_integrations to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on voice_integrations to lumenone_system using (true) with check (true);
grant select, insert, update, delete on voice_integrations to lumenone_tenant, lumenone_system;

-- Every configuration there was, so that a call can name the one it ran with. Never updated; it outlives the
-- integration, since the calls do.
create table voice_configurations (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  integration_id uuid not null,
  version integer not null,
  config json not null,
  created_at timestamptz not null default now(),
  primary key (integration_id, version),
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade
);
create index voice_configurations_workspace on voice_configurations (workspace_id);
create index voice_configurations_place on voice_configurations (account_id, organization_id);
alter table voice_configurations enable row level security;
alter table voice_configurations force row level security;
create policy tenant on voice_configurations to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on voice_configurations to lumenone_system using (true) with check (true);
grant select, insert on voice_configurations to lumenone_tenant;
grant select, insert, delete on voice_configurations to lumenone_system;

-- One row a call, from its first ring. Everything but its ends is projected from its events.
create table calls (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  -- grows with time
  id uuid primary key,
  -- no foreign keys: a call stays when the integration is gone or the number belongs to somebody else
  integration_id uuid,
  config_version integer,
  number_id integer,
  direction text not null check (direction in ('inbound', 'outbound')),
  provider text not null,
  provider_call_id text,
  -- ended: nothing more is said; finalized: summary and usage are there, and nothing will be added but late bills and recordings
  status text not null check (status in ('ringing', 'in_progress', 'ended', 'finalized')),
  -- null: withheld
  from_number text,
  to_number text,
  caller_number text generated always as (case when direction = 'inbound' then from_number else to_number end) stored,
  -- Written by us with the precision of a cursor, milliseconds; so it has no default.
  started_at timestamptz not null,
  answered_at timestamptz,
  ended_at timestamptz,
  finalized_at timestamptz,
  duration_seconds integer,
  ended_reason text,
  has_tool_calls boolean not null default false,
  summary text,
  recording_url text,
  latency json,
  cost json,
  metadata json not null,
  -- the sequence of its last event
  last_sequence integer not null default 0,
  -- until when the process that has the call is taken to be alive; null once the call has ended
  lease_until timestamptz,
  updated_at timestamptz not null default now(),
  unique (partner_id, account_id, organization_id, workspace_id, id),
  check ((ended_reason is null) = (ended_at is null)),
  check ((lease_until is null) = (status in ('ended', 'finalized'))),
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade
);
alter table calls enable row level security;
alter table calls force row level security;
create policy tenant on calls to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on calls to lumenone_system using (true) with check (true);
grant select, insert, update, delete on calls to lumenone_tenant, lumenone_system;
create unique index calls_provider on calls (provider, provider_call_id) where provider_call_id is not null;
create index calls_lease on calls (lease_until) where lease_until is not null;
-- What the policy looks at lies in each, so that a count reads the index alone.
create index calls_workspace_page on calls (workspace_id, started_at desc, id desc) include (partner_id, account_id);
create index calls_organization_page on calls (organization_id, started_at desc, id desc)
  include (partner_id, account_id, workspace_id);
create index calls_account_page on calls (account_id, started_at desc, id desc) include (partner_id, workspace_id);
create index calls_workspace_duration on calls (workspace_id, duration_seconds, id) include (partner_id, account_id);
create index calls_account_duration on calls (account_id, duration_seconds, id) include (partner_id, workspace_id);
create index calls_caller on calls (account_id, caller_number, started_at desc, id desc)
  include (partner_id, workspace_id);
create index calls_number on calls (number_id, started_at desc, id desc) include (partner_id, account_id, workspace_id);
create index calls_reason on calls (account_id, ended_reason, started_at desc, id desc)
  include (partner_id, workspace_id);
create index calls_outbound on calls (account_id, started_at desc, id desc) include (partner_id, workspace_id)
  where direction = 'outbound';
create index calls_unfinished on calls (account_id, status, started_at desc, id desc) where status <> 'finalized';

-- What happened during a call, in our own order. Nobody may update it, not even we.
create table call_events (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  call_id uuid not null,
  sequence integer not null,
  kind text not null,
  at timestamptz not null,
  data json not null,
  -- by what a provider's callback is recognised when it comes again
  key text,
  primary key (call_id, sequence),
  foreign key (partner_id, account_id, organization_id, workspace_id, call_id)
    references calls (partner_id, account_id, organization_id, workspace_id, id) on delete cascade
);
create unique index call_events_key on call_events (call_id, key) where key is not null;
alter table call_events enable row level security;
alter table call_events force row level security;
create policy tenant on call_events to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on call_events to lumenone_system using (true) with check (true);
grant select, insert, delete on call_events to lumenone_tenant, lumenone_system;

-- What was said, once the call has ended. Beside the calls, so that a list of them reads short rows.
create table call_transcripts (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  call_id uuid primary key,
  transcript json not null,
  -- the words of it, as `src/voice/call-words.ts` cuts and folds them
  words tsvector not null,
  foreign key (partner_id, account_id, organization_id, workspace_id, call_id)
    references calls (partner_id, account_id, organization_id, workspace_id, id) on delete cascade
);
alter table call_transcripts enable row level security;
alter table call_transcripts force row level security;
create policy tenant on call_transcripts to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on call_transcripts to lumenone_system using (true) with check (true);
grant select, insert, update, delete on call_transcripts to lumenone_tenant, lumenone_system;
create index call_transcripts_words on call_transcripts using gin (words);

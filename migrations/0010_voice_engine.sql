-- What a voice engine has of ours, and took last: assistants, and numbers whose calls come to it. A row is written
-- before the engine is told for the first time, and goes when nothing is left there. No foreign keys: what is at the
-- engine must be removed there although its workspace is gone.
create table voice_engine_entries (
  -- whose it is, or was when the engine was told last
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  kind text not null check (kind in ('assistant', 'number')),
  -- of an assistant the integration's id, of a number the number's
  subject text not null,
  engine text not null check (engine in ('relay', 'vapi')),
  -- the engine's own id of it
  engine_id text,
  -- the state that the engine is known to be in; null: something was told, and it is not known whether it was taken
  applied text,
  -- why it was not taken, in words for whoever looks at the integration
  error text,
  failed_at timestamptz,
  -- the key with which an assistant asks us, and the same sealed
  key_id uuid,
  secret text,
  -- the job that tells the engine just now, and until when it is taken to be alive
  claimed_by uuid,
  claimed_until timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (kind, subject)
);
create index voice_engine_entries_place on voice_engine_entries (account_id, workspace_id);
alter table voice_engine_entries enable row level security;
alter table voice_engine_entries force row level security;
create policy tenant on voice_engine_entries to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on voice_engine_entries to lumenone_system using (true) with check (true);
-- Only jobs tell engines, and write down what they took.
grant select (partner_id, account_id, organization_id, workspace_id, kind, subject, engine, engine_id, applied, error, failed_at)
  on voice_engine_entries to lumenone_tenant;
grant select, insert, update, delete on voice_engine_entries to lumenone_system;

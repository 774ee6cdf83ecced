-- An organization's own credentials for the vendors of language models.

create table model_providers (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  provider text not null,
  base_url text,
  -- sealed; null where the vendor needs none
  api_key text,
  -- the models that may be chosen; null: those that the vendor lists
  models json,
  context_tokens integer,
  max_output_tokens integer,
  -- another one after every change, so that no process goes on with an old credential
  version uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, provider),
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade
);
alter table model_providers enable row level security;
alter table model_providers force row level security;
create policy tenant on model_providers to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account())
  with check (partner_id = tenant_partner() and account_id = tenant_account());
create policy system on model_providers to lumenone_system using (true) with check (true);
grant select, insert, update, delete on model_providers to lumenone_tenant, lumenone_system;

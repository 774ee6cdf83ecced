-- Phone numbers: what partners ask for, what became of it, what was bought, and who has which number.

-- One row for each wish for numbers; how it moves is in `src/numbers/request-states.ts`.
create table number_requests (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  id uuid primary key,
  -- ISO 3166-1 alpha-2
  country text not null,
  number_type text not null check (number_type in ('local', 'mobile', 'national', 'toll_free')),
  area_code text,
  quantity integer not null check (quantity between 1 and 50),
  notes text,
  status text not null default 'pending' check (status in ('pending', 'in_review', 'action_required', 'approved',
    'provisioning', 'fulfilled', 'rejected', 'cancelled', 'failed')),
  status_reason text,
  -- word for word what the carrier said last
  provider_status text,
  -- what the partner must do for it to go on
  next_step text,
  -- papers and address at the carrier that the numbers are ordered with, where the country wants them
  bundle_id text,
  address_id text,
  -- when the carrier is asked again
  check_at timestamptz,
  -- set when its organization is being erased: nobody finds it any more
  erasing_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (partner_id, account_id, organization_id, id),
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade
);
create index number_requests_page on number_requests (organization_id, id desc);
create index number_requests_account on number_requests (account_id);
create index number_requests_status on number_requests (status, id desc);
create index number_requests_check on number_requests (check_at) where check_at is not null;
alter table number_requests enable row level security;
alter table number_requests force row level security;
create policy tenant on number_requests to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account())
  with check (partner_id = tenant_partner() and account_id = tenant_account());
create policy system on number_requests to lumenone_system using (true) with check (true);
grant select, insert, update on number_requests to lumenone_tenant;
grant select, insert, update, delete on number_requests to lumenone_system;

-- Every status that a request has had, in order. Never updated.
create table number_request_moves (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  request_id uuid not null,
  position integer not null,
  status text not null,
  moved_by text not null check (moved_by in ('partner', 'superadmin', 'carrier')),
  reason text,
  moved_at timestamptz not null default now(),
  primary key (request_id, position),
  foreign key (partner_id, account_id, organization_id, request_id)
    references number_requests (partner_id, account_id, organization_id, id) on delete cascade
);
alter table number_request_moves enable row level security;
alter table number_request_moves force row level security;
create policy tenant on number_request_moves to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account())
  with check (partner_id = tenant_partner() and account_id = tenant_account());
create policy system on number_request_moves to lumenone_system using (true) with check (true);
grant select, insert on number_request_moves to lumenone_tenant;
grant select, insert, update, delete on number_request_moves to lumenone_system;

-- A number of an organization, or of nobody: then it lies in the pool, where only the superadmin sees it, since no
-- tenant's policy is ever true for it. The three columns that say whose it is are all set or all null.
create table numbers (
  partner_id uuid,
  account_id uuid,
  organization_id integer,
  id integer generated always as identity primary key,
  request_id uuid,
  -- E.164
  number text not null check (number ~ '^\+[1-9][0-9]{5,14}$'),
  country text not null,
  number_type text not null check (number_type in ('local', 'mobile', 'national', 'toll_free')),
  can_voice boolean not null,
  can_sms boolean not null,
  status text not null default 'active' check (status in ('active', 'releasing', 'released')),
  -- manual: somebody bought it by hand, and releases it by hand
  provider text not null check (provider in ('manual', 'twilio', 'telnyx')),
  -- the carrier's own id of it
  provider_id text,
  provider_status text,
  -- when the carrier is asked again
  check_at timestamptz,
  -- set when its organization is being erased: it is on its way to the pool
  leaving_at timestamptz,
  released_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (partner_id, account_id, organization_id, id),
  check ((partner_id is null) = (account_id is null) and (account_id is null) = (organization_id is null)),
  check ((provider = 'manual') = (provider_id is null)),
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete set null,
  foreign key (partner_id, account_id, organization_id, request_id)
    references number_requests (partner_id, account_id, organization_id, id) on delete set null (request_id)
);
-- One owner in the whole installation; what was released may be bought again, by anybody.
create unique index numbers_number on numbers (number) where status <> 'released';
create unique index numbers_provider on numbers (provider, provider_id) where status <> 'released';
create index numbers_page on numbers (organization_id, id desc);
create index numbers_account_page on numbers (account_id, id desc);
create index numbers_request on numbers (request_id);
create index numbers_check on numbers (check_at) where check_at is not null;
alter table numbers enable row level security;
alter table numbers force row level security;
create policy tenant on numbers to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account())
  with check (partner_id = tenant_partner() and account_id = tenant_account());
create policy system on numbers to lumenone_system using (true) with check (true);
-- A tenant neither makes nor moves numbers. The two columns let it hold a row (`for share`) and let go of it.
grant select, update (leaving_at, updated_at) on numbers to lumenone_tenant;
grant select, insert, update, delete on numbers to lumenone_system;

-- What the carrier was asked to sell, written before it is asked: after a crash it is looked for there before it is
-- asked again. No foreign keys: what was bought must be found although the organization is gone.
create table number_orders (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  request_id uuid not null,
  -- counts the numbers of one request
  position integer not null,
  -- our name for it, under which the carrier lists what it sold
  reference text not null unique,
  provider text not null check (provider in ('twilio', 'telnyx')),
  -- the number that was chosen; another one when somebody else was quicker
  number text not null,
  -- asked: the carrier may or may not have sold it; refused: it said that it did not
  state text not null check (state in ('asked', 'bought', 'refused')),
  -- when it was asked last: an answer may still be on its way
  asked_at timestamptz not null,
  provider_id text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (request_id, position)
);
create index number_orders_open on number_orders (asked_at) where state = 'asked';
alter table number_orders enable row level security;
alter table number_orders force row level security;
create policy system on number_orders to lumenone_system using (true) with check (true);
grant select, insert, update, delete on number_orders to lumenone_system;

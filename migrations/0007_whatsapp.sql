-- WhatsApp: what connects a workspace to a number, what Meta sent, and what goes out.

-- One row for each time that a workspace was connected; what is over keeps its row, without its secrets.
create table whatsapp_connections (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  id uuid primary key,
  status text not null check (status in ('connecting', 'needs_number', 'needs_pin', 'needs_verification',
    'pending_name_review', 'needs_register', 'needs_payment', 'blocked', 'active', 'reauth_required',
    'disconnecting', 'disconnected')),
  -- why it is in that state, in a word a program can switch on
  status_reason text,
  -- the last step of the onboarding that was done
  step text not null default 'started' check (step in ('started', 'exchanged', 'inspected', 'verified', 'reserved',
    'subscribed', 'registered', 'finished')),
  -- which attempt wrote last: a later one fences an earlier one
  attempt integer not null default 0,
  waba_id text,
  business_id text,
  -- set when the number is reserved for this connection, not before
  phone_number_id text,
  -- as Meta writes it; `phone` is E.164
  display_phone_number text,
  phone text,
  verified_name text,
  name_status text,
  quality_rating text,
  -- messages a second that Meta takes for this number
  throughput text,
  is_coexistence boolean not null default false,
  -- sealed; null once the connection is over
  token text,
  token_expires_at timestamptz,
  pin text,
  registrations integer not null default 0,
  health json,
  last_error json,
  -- when the health is to be looked at again
  check_at timestamptz,
  connected_at timestamptz,
  disconnected_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (partner_id, account_id, organization_id, workspace_id, id),
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade
);
alter table whatsapp_connections enable row level security;
alter table whatsapp_connections force row level security;
create policy tenant on whatsapp_connections to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on whatsapp_connections to lumenone_system using (true) with check (true);
grant select, insert, update, delete on whatsapp_connections to lumenone_tenant, lumenone_system;
-- One live connection a workspace, one live connection a number, in the whole installation. What has no number yet may
-- stand beside the one that it is to replace.
create unique index whatsapp_connections_workspace on whatsapp_connections (workspace_id)
  where phone_number_id is not null and status not in ('disconnecting', 'disconnected');
create unique index whatsapp_connections_number on whatsapp_connections (phone_number_id)
  where status not in ('disconnecting', 'disconnected');
create index whatsapp_connections_waba on whatsapp_connections (waba_id);
create index whatsapp_connections_history on whatsapp_connections (workspace_id, created_at desc);
create index whatsapp_connections_check on whatsapp_connections (check_at) where check_at is not null;

-- Links to the page that connects. Only the SHA-256 of a link's token is here.
create table whatsapp_page_tokens (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  hash text primary key,
  key_id uuid not null,
  -- null: the page is opened on its own, in no frame
  embed_origin text,
  allow_top_level boolean not null default false,
  mode text not null default 'new' check (mode in ('new', 'reauth', 'coexistence')),
  expected_phone text,
  expires_at timestamptz not null,
  first_rendered_at timestamptz,
  -- one onboarding at a time: who holds the lease, and which attempt it is
  lease_until timestamptz,
  attempt integer not null default 0,
  code_hash text,
  connection_id uuid,
  -- once a code was exchanged, the page can go on until then
  resume_until timestamptz,
  -- what the page was answered last, for a repetition of the same code
  result json,
  consumed_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade,
  foreign key (partner_id, account_id, organization_id, workspace_id, connection_id)
    references whatsapp_connections (partner_id, account_id, organization_id, workspace_id, id) on delete cascade
);
alter table whatsapp_page_tokens enable row level security;
alter table whatsapp_page_tokens force row level security;
create policy tenant on whatsapp_page_tokens to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on whatsapp_page_tokens to lumenone_system using (true) with check (true);
grant select, insert, update, delete on whatsapp_page_tokens to lumenone_tenant, lumenone_system;
create index whatsapp_page_tokens_workspace on whatsapp_page_tokens (workspace_id, created_at desc);
create index whatsapp_page_tokens_age on whatsapp_page_tokens (created_at);

-- People who wrote to a number. A person is known by Meta's id for this business, and perhaps by a phone number.
create table whatsapp_contacts (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  id uuid primary key,
  phone_number_id text not null,
  bsuid text,
  -- digits only, as Meta writes it
  phone text,
  name text,
  -- the person across channels, and what was said with them here
  contact_id uuid,
  conversation_id uuid,
  -- opens 24 hours in which anything may be sent
  last_inbound_at timestamptz,
  bot_paused_until timestamptz,
  opted_out_at timestamptz,
  -- when it was last said that something could not be understood
  told_unsupported_at timestamptz,
  -- not before: Meta's limit for this pair
  send_after timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (partner_id, account_id, organization_id, workspace_id, id),
  unique (workspace_id, phone_number_id, bsuid),
  unique (workspace_id, phone_number_id, phone),
  check (bsuid is not null or phone is not null),
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade
);
alter table whatsapp_contacts enable row level security;
alter table whatsapp_contacts force row level security;
create policy tenant on whatsapp_contacts to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on whatsapp_contacts to lumenone_system using (true) with check (true);
grant select, insert, update, delete on whatsapp_contacts to lumenone_tenant, lumenone_system;
create index whatsapp_contacts_contact on whatsapp_contacts (workspace_id, contact_id);
create index whatsapp_contacts_conversation on whatsapp_contacts (conversation_id);

-- What Meta sent, one row for each message or change, stored before it is answered. What is done stays for nine days:
-- Meta repeats itself for seven.
create table whatsapp_inbox (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  -- the order in which it came
  id bigint generated always as identity primary key,
  connection_id uuid not null,
  phone_number_id text not null,
  kind text not null check (kind in ('message', 'echo', 'status', 'account', 'number', 'template', 'history', 'other')),
  -- tells this one from all others of its kind: a wamid, a wamid with its status, a hash
  key text not null,
  -- whose it is: what one person wrote is worked on in order
  contact_key text,
  raw json not null,
  state text not null default 'waiting' check (state in ('waiting', 'done', 'failed')),
  attempts integer not null default 0,
  -- not before: a burst of messages is answered once
  due_at timestamptz not null default now(),
  lease_until timestamptz,
  error text,
  received_at timestamptz not null default now(),
  done_at timestamptz,
  unique (phone_number_id, kind, key),
  foreign key (partner_id, account_id, organization_id, workspace_id, connection_id)
    references whatsapp_connections (partner_id, account_id, organization_id, workspace_id, id) on delete cascade
);
alter table whatsapp_inbox enable row level security;
alter table whatsapp_inbox force row level security;
create policy tenant on whatsapp_inbox to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on whatsapp_inbox to lumenone_system using (true) with check (true);
grant select, insert, update, delete on whatsapp_inbox to lumenone_tenant, lumenone_system;
create index whatsapp_inbox_waiting on whatsapp_inbox (phone_number_id, contact_key, id) where state = 'waiting';
create index whatsapp_inbox_due on whatsapp_inbox (due_at, id) where state = 'waiting';
create index whatsapp_inbox_age on whatsapp_inbox (received_at);
create index whatsapp_inbox_workspace on whatsapp_inbox (workspace_id);

-- What goes out, and what became of it. The id goes along (`biz_opaque_callback_data`) and comes back with each status.
create table whatsapp_messages (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  id uuid primary key,
  connection_id uuid not null,
  contact_id uuid not null,
  conversation_id uuid,
  -- the message of the conversation that this is, or is a part of
  message_id bigint,
  -- what it answers: nothing is answered twice
  reply_key text,
  part integer not null default 0,
  kind text not null check (kind in ('answer', 'human', 'notice')),
  -- what is posted, without the recipient
  body json not null,
  state text not null default 'pending' check (state in ('pending', 'sending', 'accepted', 'sent', 'delivered', 'read',
    'played', 'failed', 'unknown')),
  wamid text unique,
  attempts integer not null default 0,
  due_at timestamptz not null default now(),
  lease_until timestamptz,
  error json,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (workspace_id, reply_key, part),
  foreign key (partner_id, account_id, organization_id, workspace_id, connection_id)
    references whatsapp_connections (partner_id, account_id, organization_id, workspace_id, id) on delete cascade,
  foreign key (partner_id, account_id, organization_id, workspace_id, contact_id)
    references whatsapp_contacts (partner_id, account_id, organization_id, workspace_id, id) on delete cascade
);
alter table whatsapp_messages enable row level security;
alter table whatsapp_messages force row level security;
create policy tenant on whatsapp_messages to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on whatsapp_messages to lumenone_system using (true) with check (true);
grant select, insert, update, delete on whatsapp_messages to lumenone_tenant, lumenone_system;
create index whatsapp_messages_due on whatsapp_messages (due_at, id) where state in ('pending', 'sending');
create index whatsapp_messages_contact on whatsapp_messages (contact_id, id);
create index whatsapp_messages_message on whatsapp_messages (message_id);
create index whatsapp_messages_age on whatsapp_messages (created_at);

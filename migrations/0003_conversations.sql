-- Conversations of every channel in one table, and the people who have them.

alter table workspaces add column retention_days integer check (retention_days between 1 and 3650);

-- A person who writes or calls, whatever the channel.
create table contacts (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  id uuid primary key,
  name text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (workspace_id, id),
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade
);
alter table contacts enable row level security;
alter table contacts force row level security;
create policy tenant on contacts to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on contacts to lumenone_system using (true) with check (true);
grant select, insert, update, delete on contacts to lumenone_tenant, lumenone_system;
create index contacts_page on contacts (workspace_id, created_at desc, id desc);

-- By what a person is recognised: a phone number is the same person on the phone and on WhatsApp.
create table contact_identities (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  contact_id uuid not null,
  -- phone: E.164; whatsapp: an id that hides the number; external: the partner's own id
  kind text not null check (kind in ('phone', 'whatsapp', 'email', 'external')),
  value text not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, kind, value),
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade,
  foreign key (workspace_id, contact_id) references contacts (workspace_id, id) on delete cascade
);
alter table contact_identities enable row level security;
alter table contact_identities force row level security;
create policy tenant on contact_identities to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on contact_identities to lumenone_system using (true) with check (true);
grant select, insert, update, delete on contact_identities to lumenone_tenant, lumenone_system;
create index contact_identities_contact on contact_identities (workspace_id, contact_id);

create table conversations (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  id uuid primary key,
  channel text not null check (channel in ('api', 'openai', 'web', 'whatsapp', 'voice')),
  contact_id uuid,
  -- What the caller names the conversation by: a session id, a thread's slug, a WhatsApp number, a call. null: the
  -- workspace's own conversation of that channel.
  session_id text,
  -- a column, since policies keep expressions from being looked up in an index
  session_key text not null generated always as (coalesce(session_id, '')) stored,
  -- set for threads only
  thread_slug text,
  name text,
  status text not null default 'open' check (status in ('open', 'handoff', 'closed')),
  -- a human has taken over: nothing is answered by the assistant
  bot_paused boolean not null default false,
  handoff_reason text,
  handoff_requested_at timestamptz,
  -- messages up to this one are no longer read to the model: what reset does
  forgotten_until bigint not null default 0,
  -- Written by us with the precision of a cursor, milliseconds; so it has no default.
  last_message_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (partner_id, account_id, organization_id, workspace_id, id),
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade,
  foreign key (workspace_id, contact_id) references contacts (workspace_id, id) on delete set null (contact_id)
);
create unique index conversations_session on conversations (workspace_id, channel, session_key)
  where thread_slug is null;
create unique index conversations_thread on conversations (workspace_id, thread_slug) where thread_slug is not null;
create index conversations_page on conversations (workspace_id, last_message_at desc, id desc);
create index conversations_contact on conversations (workspace_id, contact_id) where contact_id is not null;
alter table conversations enable row level security;
alter table conversations force row level security;
create policy tenant on conversations to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on conversations to lumenone_system using (true) with check (true);
grant select, insert, update, delete on conversations to lumenone_tenant, lumenone_system;

create table messages (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  conversation_id uuid not null,
  -- grows with time; the chatId of an answer
  id bigint generated always as identity primary key,
  -- what was asked and what was answered to it
  turn_id uuid not null,
  -- user: the person; assistant: the model or the extractive answer; human: somebody of the partner's who took over
  role text not null check (role in ('user', 'assistant', 'human')),
  text text not null,
  -- how an assistant's message ended; a human's is pending until its channel has taken it
  status text not null default 'complete' check (status in ('complete', 'pending', 'cancelled', 'failed')),
  sources json,
  attachments json,
  metrics json,
  provider text,
  model text,
  created_at timestamptz not null default now(),
  -- The only one, over all that names the tenant: each key is looked up for every row, and one to workspaces besides
  -- would have all turns of a workspace lock the same row.
  foreign key (partner_id, account_id, organization_id, workspace_id, conversation_id)
    references conversations (partner_id, account_id, organization_id, workspace_id, id) on delete cascade
);
create index messages_conversation on messages (conversation_id, id desc);
-- A turn is stored once, however often it is tried.
create unique index messages_turn on messages (conversation_id, turn_id, role) where role <> 'human';
-- What has not gone out yet, and must go out in order.
create index messages_pending on messages (conversation_id, id) where status = 'pending';
create index messages_workspace on messages (workspace_id, id desc);
create index messages_age on messages (workspace_id, created_at);
alter table messages enable row level security;
alter table messages force row level security;
create policy tenant on messages to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on messages to lumenone_system using (true) with check (true);
grant select, insert, update, delete on messages to lumenone_tenant, lumenone_system;

-- Documents, what was read from them, and the segments that searches run on.

-- Grows with every change of a workspace's documents; read in the statement that resolves the workspace, so that no
-- search begun after a change sees what was before it.
alter table workspaces add column index_version bigint not null default 0;
-- What its originals may take together; null: the installation's default.
alter table organizations add column storage_quota_bytes bigint;

-- What an organization's originals take, in parts: one row would make each upload wait for the commit of the one before.
create table organization_storage (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  shard smallint not null,
  bytes bigint not null,
  primary key (organization_id, shard),
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade
) with (fillfactor = 50);
alter table organization_storage enable row level security;
alter table organization_storage force row level security;
create policy tenant on organization_storage to lumenone_tenant
  using (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()))
  with check (partner_id = tenant_partner() and (tenant_account() is null or account_id = tenant_account()));
create policy system on organization_storage to lumenone_system using (true) with check (true);
grant select, insert, update on organization_storage to lumenone_tenant;
grant select, insert, update, delete on organization_storage to lumenone_system;

create table folders (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  name text not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, name),
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade
);
alter table folders enable row level security;
alter table folders force row level security;
create policy tenant on folders to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account())
  with check (partner_id = tenant_partner() and account_id = tenant_account());
create policy system on folders to lumenone_system using (true) with check (true);
grant select, insert, update, delete on folders to lumenone_tenant, lumenone_system;

-- The same bytes read in the same way are stored and read once in an organization, however many documents they are.
create table contents (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  id uuid primary key,
  sha256 text not null,
  format text not null,
  size_bytes bigint not null,
  mime text not null,
  original_key text not null,
  -- what the parser made of it, in the file store; null until read
  parsed_key text,
  parsed_title text,
  pages integer,
  language text,
  words integer,
  tokens integer,
  created_at timestamptz not null default now(),
  unique (organization_id, sha256, format),
  unique (organization_id, id),
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade
);
alter table contents enable row level security;
alter table contents force row level security;
create policy tenant on contents to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account())
  with check (partner_id = tenant_partner() and account_id = tenant_account());
create policy system on contents to lumenone_system using (true) with check (true);
grant select, insert, update, delete on contents to lumenone_tenant, lumenone_system;

create table documents (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  id uuid primary key,
  folder text not null,
  -- last segment of the docpath
  name text not null,
  external_id text,
  file_name text not null,
  -- null while the first version is being read
  content_id uuid,
  -- a version that waits to replace the one above
  next_content_id uuid,
  next_file_name text,
  next_metadata json,
  title text not null,
  metadata json not null,
  status text not null check (status in ('processing', 'ready', 'failed')),
  error json,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (organization_id, name),
  unique (organization_id, external_id),
  unique (organization_id, id),
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade,
  foreign key (organization_id, folder) references folders (organization_id, name),
  foreign key (organization_id, content_id) references contents (organization_id, id),
  foreign key (organization_id, next_content_id) references contents (organization_id, id)
);
create index documents_page on documents (organization_id, id desc);
create index documents_folder on documents (organization_id, folder, id desc);
create index documents_content on documents (content_id);
create index documents_next_content on documents (next_content_id) where next_content_id is not null;
alter table documents enable row level security;
alter table documents force row level security;
create policy tenant on documents to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account())
  with check (partner_id = tenant_partner() and account_id = tenant_account());
create policy system on documents to lumenone_system using (true) with check (true);
grant select, insert, update, delete on documents to lumenone_tenant, lumenone_system;

-- One a content, title and way of cutting, analysing and embedding: embedded once, used by any number of workspaces.
create table segments (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  id uuid primary key,
  content_id uuid not null,
  -- hash of all that decides its bytes
  recipe text not null,
  -- which chunker, format and model made it; what is behind the newest is made anew
  maker text not null,
  file_key text not null,
  size_bytes bigint not null,
  chunks integer not null,
  tokens integer not null,
  created_at timestamptz not null default now(),
  unique (organization_id, recipe),
  unique (organization_id, id),
  foreign key (partner_id, account_id, organization_id)
    references organizations (partner_id, account_id, id) on delete cascade,
  foreign key (organization_id, content_id) references contents (organization_id, id) on delete cascade
);
create index segments_content on segments (content_id);
alter table segments enable row level security;
alter table segments force row level security;
create policy tenant on segments to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account())
  with check (partner_id = tenant_partner() and account_id = tenant_account());
create policy system on segments to lumenone_system using (true) with check (true);
grant select, insert, update, delete on segments to lumenone_tenant, lumenone_system;

create table workspace_documents (
  partner_id uuid not null,
  account_id uuid not null,
  organization_id integer not null,
  workspace_id integer not null,
  document_id uuid not null,
  -- null until embedded for the first time
  segment_id uuid,
  status text not null check (status in ('embedding', 'embedded', 'failed')),
  error json,
  added_at timestamptz not null default now(),
  primary key (workspace_id, document_id),
  foreign key (partner_id, account_id, organization_id, workspace_id)
    references workspaces (partner_id, account_id, organization_id, id) on delete cascade,
  foreign key (organization_id, document_id) references documents (organization_id, id) on delete cascade,
  foreign key (organization_id, segment_id) references segments (organization_id, id)
);
create index workspace_documents_document on workspace_documents (document_id);
create index workspace_documents_segment on workspace_documents (segment_id);
alter table workspace_documents enable row level security;
alter table workspace_documents force row level security;
create policy tenant on workspace_documents to lumenone_tenant
  using (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()))
  with check (partner_id = tenant_partner() and account_id = tenant_account()
    and (tenant_workspace() is null or workspace_id = tenant_workspace()));
create policy system on workspace_documents to lumenone_system using (true) with check (true);
grant select, insert, update, delete on workspace_documents to lumenone_tenant, lumenone_system;

-- The list of calls: each of its indexes holds all that a filter looks at, so that filters which are frequent one by one
-- and rare together are counted without reading the calls themselves.
-- Not the status: the few that are not finalized have an index of their own, which must not be passed over for these.
drop index calls_workspace_page;
create index calls_workspace_page on calls (workspace_id, started_at desc, id desc)
  include (partner_id, account_id, direction, ended_reason, has_tool_calls, number_id, duration_seconds);
drop index calls_organization_page;
create index calls_organization_page on calls (organization_id, started_at desc, id desc)
  include (partner_id, account_id, workspace_id, direction, ended_reason, has_tool_calls, number_id,
    duration_seconds);
drop index calls_account_page;
create index calls_account_page on calls (account_id, started_at desc, id desc)
  include (partner_id, workspace_id, organization_id, direction, ended_reason, has_tool_calls, number_id,
    duration_seconds);
drop index calls_workspace_duration;
create index calls_workspace_duration on calls (workspace_id, duration_seconds, id)
  include (partner_id, account_id, direction, ended_reason, has_tool_calls, number_id, started_at);
drop index calls_account_duration;
create index calls_account_duration on calls (account_id, duration_seconds, id)
  include (partner_id, workspace_id, organization_id, direction, ended_reason, has_tool_calls, number_id,
    started_at);
drop index calls_number;
create index calls_number on calls (number_id, started_at desc, id desc)
  include (partner_id, account_id, workspace_id, organization_id, direction, ended_reason, has_tool_calls,
    duration_seconds);
drop index calls_reason;
create index calls_reason on calls (account_id, ended_reason, started_at desc, id desc)
  include (partner_id, workspace_id, organization_id, direction, has_tool_calls, number_id, duration_seconds);
create index calls_workspace_reason on calls (workspace_id, ended_reason, started_at desc, id desc)
  include (partner_id, account_id, direction, has_tool_calls, number_id, duration_seconds);
drop index calls_outbound;
create index calls_outbound on calls (account_id, started_at desc, id desc)
  include (partner_id, workspace_id, organization_id, direction, ended_reason, has_tool_calls, number_id,
    duration_seconds) where direction = 'outbound';

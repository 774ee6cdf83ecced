-- Calls are found by their words without being read: what orders and narrows a list lies beside the words, days and
-- durations are among them, and rows are short.

-- Asked once a statement instead of once a row: a list of calls is counted in a fifth of the time.
alter policy tenant on calls
  using (partner_id = (select tenant_partner()) and account_id = (select tenant_account())
    and ((select tenant_workspace()) is null or workspace_id = (select tenant_workspace())))
  with check (partner_id = (select tenant_partner()) and account_id = (select tenant_account())
    and ((select tenant_workspace()) is null or workspace_id = (select tenant_workspace())));
alter policy tenant on call_transcripts
  using (partner_id = (select tenant_partner()) and account_id = (select tenant_account())
    and ((select tenant_workspace()) is null or workspace_id = (select tenant_workspace())))
  with check (partner_id = (select tenant_partner()) and account_id = (select tenant_account())
    and ((select tenant_workspace()) is null or workspace_id = (select tenant_workspace())));

-- Transcripts and words lie apart, where they are long: ten thousand calls are found on a tenth of the pages.
alter table call_transcripts set (toast_tuple_target = 128);
alter table call_transcripts add column started_at timestamptz;
alter table call_transcripts add column duration_seconds integer;

-- The tables' owner is bound by no policy but those of its roles, and so sees nothing.
alter table calls no force row level security;
alter table call_transcripts no force row level security;
-- As `src/voice/call-facts.ts` names them.
update call_transcripts said
set started_at = calls.started_at,
  duration_seconds = coalesce(calls.duration_seconds, 0),
  words = ts_delete(said.words, '@account:' || said.account_id) || array_to_tsvector(array[
    '@account:' || right(said.account_id::text, 12),
    '@account:' || right(said.account_id::text, 12) || to_char(calls.started_at at time zone 'UTC', ':YYYY-MM'),
    '@organization:' || said.organization_id || to_char(calls.started_at at time zone 'UTC', ':YYYY-MM'),
    '@workspace:' || said.workspace_id || to_char(calls.started_at at time zone 'UTC', ':YYYY-MM'),
    '@day:' || to_char(calls.started_at at time zone 'UTC', 'YYYY-MM-DD'),
    case when calls.duration_seconds >= 1000 then '@seconds:long'
      else '@seconds10:' || coalesce(calls.duration_seconds, 0) / 10 end,
    case when calls.duration_seconds >= 1000 then '@seconds:long'
      else '@seconds100:' || coalesce(calls.duration_seconds, 0) / 100 end])
from calls where calls.id = said.call_id;
alter table call_transcripts alter column started_at set not null;
alter table call_transcripts alter column duration_seconds set not null;
alter table calls force row level security;
alter table call_transcripts force row level security;

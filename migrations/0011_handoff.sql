-- Calls that are put through to a human.

-- Where a human of this workspace answers the telephone, E.164; null: nobody is dialled.
alter table workspaces add column handoff_number text check (handoff_number ~ '^\+[1-9][0-9]{6,14}$');

-- Whom the caller was handed to, and what came of it; projected from the events. Null: nobody was asked for.
alter table calls add column transfer json;

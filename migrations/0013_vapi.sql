-- Whose assistant it is that a voice engine speaks of, or that asks for an answer.
create index voice_engine_entries_engine_id on voice_engine_entries (engine_id) where engine_id is not null;
create index voice_engine_entries_key on voice_engine_entries (key_id) where key_id is not null;

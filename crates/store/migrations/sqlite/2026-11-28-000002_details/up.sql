-- What an app tells of an entity is written beside what the list of ids says, without a look at it: body has the latter.
ALTER TABLE snapshot_rows ADD COLUMN details TEXT;
-- How much a run told the mirror, or asked; of those from before nobody knows.
ALTER TABLE snapshots ADD COLUMN told BIGINT NOT NULL DEFAULT 1;

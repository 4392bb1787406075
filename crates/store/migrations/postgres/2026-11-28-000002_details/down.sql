ALTER TABLE snapshots DROP COLUMN told;
ALTER TABLE snapshot_rows DROP COLUMN details;

ALTER TABLE records DROP COLUMN version;

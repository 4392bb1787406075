-- The version of the newest change of an entity; 0 while there was none. Of what was there before, it is the newest that it can be.
ALTER TABLE records ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
UPDATE records SET version = coalesce((SELECT last_version FROM tenants WHERE tenants.id = records.tenant), 0);

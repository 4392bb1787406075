-- Ids and names of ours sort by bytes, as in SQLite, whatever the database sorts by.
CREATE TABLE tenants (
    id                TEXT COLLATE "C"   PRIMARY KEY NOT NULL,
    document          TEXT   NOT NULL,
    data_key          TEXT   NOT NULL,
    lane              TEXT   NOT NULL,
    revision          BIGINT NOT NULL,
    applied_at        BIGINT NOT NULL,
    previous_callback TEXT,
    previous_until    BIGINT,
    last_version      BIGINT NOT NULL DEFAULT 0,
    published_version BIGINT NOT NULL DEFAULT 0,
    outbox_owner      TEXT,
    outbox_until      BIGINT,
    removed_at        BIGINT
);
CREATE INDEX tenants_by_revision ON tenants (revision);

-- How far the comparison of attendance and approvals with their platform got, and when the next one is due; and reads of failed pushes that
-- are under way: what such a read brings is gone at the platform.
CREATE TABLE record_runs (
    tenant      TEXT PRIMARY KEY NOT NULL,
    place       TEXT,
    since       BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    back_to     BIGINT,
    differences BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL
);
CREATE TABLE failed_reads (
    tenant   TEXT NOT NULL,
    owner    TEXT NOT NULL,
    since    BIGINT NOT NULL,
    began_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, owner)
);

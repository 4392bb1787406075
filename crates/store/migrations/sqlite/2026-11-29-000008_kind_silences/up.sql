-- Since when a platform tells nothing of one kind of entity, while it may tell of others.
CREATE TABLE kind_silences (
    tenant TEXT NOT NULL,
    kind   TEXT NOT NULL,
    since  BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind)
);

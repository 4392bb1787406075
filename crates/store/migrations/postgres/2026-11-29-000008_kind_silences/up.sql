-- Since when a platform tells nothing of one kind of entity, while it may tell of others.
CREATE TABLE kind_silences (
    tenant TEXT COLLATE "C" NOT NULL,
    kind   TEXT COLLATE "C" NOT NULL,
    since  BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind)
);

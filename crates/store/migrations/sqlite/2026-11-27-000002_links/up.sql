-- Which row of a destination is which entity, where the row was there before us. Rows are told apart as entities are: core_key is
-- the folded core_id.
CREATE TABLE links (
    tenant      TEXT NOT NULL,
    destination TEXT NOT NULL,
    kind        TEXT NOT NULL,
    platform_id TEXT NOT NULL,
    core_id     TEXT NOT NULL,
    core_key    TEXT NOT NULL,
    decided_by  TEXT   NOT NULL,
    since       BIGINT NOT NULL,
    PRIMARY KEY (tenant, destination, kind, platform_id)
);
-- The row comes first: as long as there are no statistics, this would else be taken to find entities as well as the primary key.
CREATE UNIQUE INDEX links_by_core ON links (core_key, tenant, destination, kind);

-- Pairs that a person said are not the same.
CREATE TABLE link_rejections (
    tenant      TEXT NOT NULL,
    destination TEXT NOT NULL,
    kind        TEXT NOT NULL,
    platform_id TEXT NOT NULL,
    core_key    TEXT NOT NULL,
    core_id     TEXT NOT NULL,
    since       BIGINT NOT NULL,
    PRIMARY KEY (tenant, destination, kind, platform_id, core_key)
);

-- How much of what a platform counts by the month is used, and at which percentage a warning was last given.
CREATE TABLE quotas (
    tenant   TEXT NOT NULL,
    platform TEXT NOT NULL,
    kind     TEXT NOT NULL,
    month    TEXT NOT NULL,
    used     BIGINT  NOT NULL,
    warned   INTEGER NOT NULL,
    PRIMARY KEY (tenant, platform, kind, month)
);

-- How much of what a platform counts by the month is used, and at which percentage a warning was last given.
CREATE TABLE quotas (
    tenant   TEXT COLLATE "C" NOT NULL,
    platform TEXT COLLATE "C" NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL,
    month    TEXT COLLATE "C" NOT NULL,
    used     BIGINT  NOT NULL,
    warned   INTEGER NOT NULL,
    PRIMARY KEY (tenant, platform, kind, month)
);

-- Pages of what a platform could not push, as they were read: reading removes them there.
CREATE TABLE failed_pushes (
    tenant   TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    taken_at BIGINT NOT NULL,
    content  TEXT   NOT NULL,
    PRIMARY KEY (tenant, id)
);

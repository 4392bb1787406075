-- Pages of what a platform could not push, as they were read: reading removes them there.
CREATE TABLE failed_pushes (
    tenant   TEXT NOT NULL,
    id       TEXT NOT NULL,
    taken_at BIGINT NOT NULL,
    content  TEXT   NOT NULL,
    PRIMARY KEY (tenant, id)
);

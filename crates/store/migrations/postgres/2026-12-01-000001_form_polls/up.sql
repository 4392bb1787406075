-- How far the polls of a form got. `mark` is the time before the first request of the last poll that read all pages; `place` is where
-- the one that is under way goes on, and null while none is; `full_at` is when all records were last read, whenever they were changed.
CREATE TABLE form_polls (
    tenant      TEXT COLLATE "C" NOT NULL,
    form        TEXT COLLATE "C" NOT NULL,
    mark        BIGINT,
    started_at  BIGINT NOT NULL,
    place       TEXT,
    is_full     BOOLEAN NOT NULL,
    full_at     BIGINT,
    due_at      BIGINT NOT NULL,
    why         TEXT,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, form)
);

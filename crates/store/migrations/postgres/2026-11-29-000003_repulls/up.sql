-- What is asked for again at a time, or at several, although no callback says so: what a platform tells late, or amends.
CREATE TABLE repulls (
    tenant TEXT COLLATE "C" NOT NULL,
    kind   TEXT COLLATE "C" NOT NULL,
    id     TEXT COLLATE "C" NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, id, due_at)
);
CREATE INDEX repulls_due ON repulls (tenant, due_at);

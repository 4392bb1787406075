-- What is asked for again at a time, or at several, although no callback says so: what a platform tells late, or amends.
CREATE TABLE repulls (
    tenant TEXT NOT NULL,
    kind   TEXT NOT NULL,
    id     TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, id, due_at)
);
CREATE INDEX repulls_due ON repulls (tenant, due_at);

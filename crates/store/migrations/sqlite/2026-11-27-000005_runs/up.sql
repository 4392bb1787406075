-- Comparisons of a tenant's mirror with its core products: planned, decided on, applied, undone.
CREATE TABLE sync_runs (
    id             TEXT NOT NULL PRIMARY KEY,
    tenant         TEXT NOT NULL,
    kind           TEXT    NOT NULL,
    destination    TEXT,
    undoes         TEXT,
    state          TEXT    NOT NULL,
    wanted         TEXT    NOT NULL,
    step           TEXT    NOT NULL,
    done           BIGINT  NOT NULL DEFAULT 0,
    total          BIGINT  NOT NULL DEFAULT 0,
    counts         TEXT    NOT NULL,
    complete       BOOLEAN NOT NULL,
    why            TEXT,
    request_key    TEXT,
    mirror_version BIGINT  NOT NULL DEFAULT 0,
    last_version   BIGINT  NOT NULL DEFAULT 0,
    requested_at   BIGINT  NOT NULL,
    started_at     BIGINT,
    finished_at    BIGINT,
    lease_owner    TEXT,
    lease_until    BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX sync_runs_by_tenant ON sync_runs (tenant, requested_at);
-- A tenant's first sync happens once, unless it came to nothing.
CREATE UNIQUE INDEX sync_runs_first ON sync_runs (tenant) WHERE kind = 'first' AND state NOT IN ('rejected', 'failed');
-- And there is one run of a tenant at a time.
CREATE UNIQUE INDEX sync_runs_open ON sync_runs (tenant)
    WHERE state IN ('planning', 'planned', 'quarantined', 'applying');

-- What a run does, in order. before and after are rows of the destination as JSON.
CREATE TABLE plan_items (
    run         TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    destination TEXT NOT NULL,
    action      TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    id          TEXT,
    core_id     TEXT,
    why         TEXT   NOT NULL,
    before      TEXT,
    after       TEXT,
    state       TEXT   NOT NULL,
    version     BIGINT,
    note        TEXT,
    PRIMARY KEY (run, seq)
);
CREATE INDEX plan_items_by_state ON plan_items (run, state, seq);

-- Destinations that are left alone by runs until a person resumes them: a run on them was undone.
CREATE TABLE sync_pauses (
    tenant      TEXT NOT NULL,
    destination TEXT NOT NULL,
    run         TEXT NOT NULL,
    since       BIGINT NOT NULL,
    PRIMARY KEY (tenant, destination)
);

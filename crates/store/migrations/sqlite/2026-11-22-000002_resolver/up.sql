-- What makes two events the same fact. Looked up and added by key only; pruned by time now and then.
CREATE TABLE event_keys (
    tenant TEXT   NOT NULL,
    key    TEXT   NOT NULL,
    event  TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (tenant, key)
) WITHOUT ROWID;

-- The mirror. `inside` lists the departments that the entity is in as last sent, as ",3,17,"; it is null while it is not live.
CREATE TABLE records (
    tenant       TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    inside       TEXT,
    parked_since BIGINT,
    asked        BOOLEAN NOT NULL,
    given_up     BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, kind, id)
);
CREATE INDEX records_parked ON records (tenant, parked_since) WHERE parked_since IS NOT NULL;

-- Who is to be looked at again when something appears, moves or goes.
CREATE TABLE waiting (
    tenant  TEXT NOT NULL,
    on_kind TEXT NOT NULL,
    on_id   TEXT NOT NULL,
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    why     TEXT NOT NULL,
    PRIMARY KEY (tenant, on_kind, on_id, kind, id, why)
) WITHOUT ROWID;

-- What appeared, moved or went and whose waiters were not all looked at yet; `after_*` is how far that got.
CREATE TABLE releases (
    tenant     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    after_kind TEXT NOT NULL,
    after_id   TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, id)
) WITHOUT ROWID;

CREATE TABLE questions (
    tenant       TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    why          TEXT    NOT NULL,
    asked_at     BIGINT  NOT NULL,
    next_attempt BIGINT  NOT NULL,
    attempts     INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, id)
) WITHOUT ROWID;

CREATE TABLE outbox (
    tenant     TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, version)
) WITHOUT ROWID;

-- What a person wants to be sent again, as it is now and under a new version.
CREATE TABLE replays (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    tenant       TEXT    NOT NULL,
    destination  TEXT,
    kind         TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    requested_at BIGINT  NOT NULL
);

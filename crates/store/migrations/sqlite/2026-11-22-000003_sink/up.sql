CREATE TABLE destinations (
    tenant          TEXT    NOT NULL,
    id              TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    position        BIGINT  NOT NULL,
    started_version BIGINT  NOT NULL,
    state           TEXT    NOT NULL DEFAULT 'active',
    backfill        TEXT,
    fingerprint     TEXT    NOT NULL DEFAULT '',
    touched         BIGINT  NOT NULL DEFAULT 0,
    lease_owner     TEXT,
    lease_until     BIGINT  NOT NULL DEFAULT 0,
    fence           BIGINT  NOT NULL DEFAULT 0,
    handshake_at    BIGINT,
    last_second     BIGINT,
    last_error      TEXT,
    failing_since   BIGINT,
    last_success_at BIGINT,
    created_at      BIGINT  NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE held (
    tenant       TEXT    NOT NULL,
    destination  TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    version      BIGINT  NOT NULL,
    state        TEXT    NOT NULL,
    reason       TEXT,
    absent       BOOLEAN NOT NULL,
    removal      BOOLEAN NOT NULL,
    there_keys   TEXT    NOT NULL,
    left_keys    TEXT    NOT NULL,
    waits_for    TEXT    NOT NULL,
    formerly     TEXT    NOT NULL,
    attempts     INTEGER NOT NULL,
    next_attempt BIGINT  NOT NULL,
    since        BIGINT  NOT NULL,
    body         TEXT    NOT NULL,
    PRIMARY KEY (tenant, destination, kind, id)
);

CREATE TABLE taken (
    tenant      TEXT   NOT NULL,
    destination TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    body        TEXT   NOT NULL,
    PRIMARY KEY (tenant, destination, kind, id)
);

CREATE TABLE messages (
    tenant      TEXT   NOT NULL,
    destination TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    message     TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, destination, version)
);

CREATE TABLE attempts (
    id           INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    tenant       TEXT    NOT NULL,
    destination  TEXT    NOT NULL,
    from_version BIGINT  NOT NULL,
    to_version   BIGINT  NOT NULL,
    changes      INTEGER NOT NULL,
    kind         TEXT,
    entity       TEXT,
    at           BIGINT  NOT NULL,
    took_millis  BIGINT  NOT NULL,
    outcome      TEXT    NOT NULL,
    answer       TEXT
);
CREATE INDEX attempts_by_destination ON attempts (tenant, destination, id);

CREATE TABLE dead_letters (
    id          TEXT   PRIMARY KEY NOT NULL,
    tenant      TEXT   NOT NULL,
    stage       TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    entity      TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    detail      TEXT   NOT NULL,
    content     TEXT   NOT NULL,
    destination TEXT,
    version     BIGINT,
    since       BIGINT NOT NULL,
    resolved_at BIGINT,
    resolution  TEXT
);
CREATE INDEX dead_letters_open ON dead_letters (tenant, stage, destination, kind, entity) WHERE resolved_at IS NULL;

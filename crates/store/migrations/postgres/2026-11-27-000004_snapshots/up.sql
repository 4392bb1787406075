-- A tenant's directory while it is pulled and compared: one run per tenant at a time, which a lease says. What a run has learned is in
-- snapshot_rows; `stage` and `place` are how far it got.
CREATE TABLE snapshots (
    tenant      TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    run         TEXT    NOT NULL,
    stage       TEXT    NOT NULL,
    place       TEXT,
    started_at  BIGINT  NOT NULL,
    asked_at    BIGINT  NOT NULL,
    whole       BOOLEAN NOT NULL,
    done_by     BIGINT,
    differences BIGINT  NOT NULL,
    due_at      BIGINT  NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT  NOT NULL
);

CREATE TABLE snapshot_rows (
    tenant TEXT COLLATE "C" NOT NULL,
    kind   TEXT COLLATE "C" NOT NULL,
    id     TEXT COLLATE "C" NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, id)
);

-- Removals that nobody stated, for the brake over a sliding hour.
CREATE TABLE inferred_removals (
    tenant TEXT COLLATE "C"   NOT NULL,
    kind   TEXT COLLATE "C"   NOT NULL,
    id     TEXT COLLATE "C"   NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, id)
);

-- Tenants for which a person let removals pass the brake, and until when.
CREATE TABLE brake_passes (
    tenant  TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    until   BIGINT NOT NULL
);

-- The department whose members were last asked for on the endless walk over details.
CREATE TABLE walks (
    tenant TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    place  TEXT NOT NULL
);

-- Which member somebody is whom another platform than that of the directory knows; null while nobody knows.
-- `told` is the member under whom what is recorded of somebody was last told.
CREATE TABLE people (
    tenant        TEXT COLLATE "C" NOT NULL,
    platform      TEXT COLLATE "C" NOT NULL,
    foreign_id    TEXT COLLATE "C" NOT NULL,
    member        TEXT COLLATE "C",
    decided_by    TEXT,
    mobile_digest TEXT,
    updated_at    BIGINT NOT NULL,
    told          TEXT COLLATE "C",
    PRIMARY KEY (tenant, platform, foreign_id)
);

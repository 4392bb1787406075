-- Which member somebody is whom another platform than that of the directory knows; null while nobody knows.
-- `told` is the member under whom what is recorded of somebody was last told.
CREATE TABLE people (
    tenant        TEXT NOT NULL,
    platform      TEXT NOT NULL,
    foreign_id    TEXT NOT NULL,
    member        TEXT,
    decided_by    TEXT,
    mobile_digest TEXT,
    updated_at    BIGINT NOT NULL,
    told          TEXT,
    PRIMARY KEY (tenant, platform, foreign_id)
);

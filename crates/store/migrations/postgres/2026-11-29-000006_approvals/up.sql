-- Of which forms there are approvals, and to which days of members those that were agreed to apply. `head` is the approval that was corrected
-- by others: what it and they apply to belongs together.
CREATE TABLE approval_templates (
    tenant   TEXT COLLATE "C" NOT NULL,
    template TEXT COLLATE "C" NOT NULL,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, template)
);
CREATE TABLE approval_days (
    tenant   TEXT COLLATE "C" NOT NULL,
    approval TEXT COLLATE "C" NOT NULL,
    day      TEXT COLLATE "C" NOT NULL,
    member   TEXT NOT NULL,
    head     TEXT COLLATE "C" NOT NULL,
    noted_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, approval, day)
);
CREATE INDEX approval_days_head ON approval_days (tenant, head);

-- Of which forms there are approvals, and to which days of members those that were agreed to apply. `head` is the approval that was corrected
-- by others: what it and they apply to belongs together.
CREATE TABLE approval_templates (
    tenant   TEXT NOT NULL,
    template TEXT NOT NULL,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, template)
);
CREATE TABLE approval_days (
    tenant   TEXT NOT NULL,
    approval TEXT NOT NULL,
    day      TEXT NOT NULL,
    member   TEXT NOT NULL,
    head     TEXT NOT NULL,
    noted_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, approval, day)
);
CREATE INDEX approval_days_head ON approval_days (tenant, head);

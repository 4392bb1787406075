-- How much of what a platform allows is spent, and until when it refuses. An allowance has a row for each limit on it, by the limit's
-- length, and one of length 0 for what holds for it as a whole. Rows that say nothing any more are pruned.
CREATE TABLE allowances (
    company         TEXT   NOT NULL,
    interface       TEXT   NOT NULL,
    egress          TEXT   NOT NULL,
    per_millis      BIGINT NOT NULL,
    total_micros    BIGINT NOT NULL,
    backfill_micros BIGINT NOT NULL,
    refused_until   BIGINT NOT NULL,
    refused_millis  BIGINT NOT NULL,
    used_at         BIGINT NOT NULL,
    PRIMARY KEY (company, interface, egress, per_millis)
);

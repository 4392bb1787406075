-- How much of what a platform allows is spent, and until when it refuses. An allowance has a row for each limit on it, by the limit's
-- length, and one of length 0 for what holds for it as a whole. Rows that say nothing any more are pruned.
CREATE TABLE allowances (
    company         TEXT COLLATE "C" NOT NULL,
    interface       TEXT COLLATE "C" NOT NULL,
    egress          TEXT COLLATE "C" NOT NULL,
    per_millis      BIGINT NOT NULL,
    total_micros    BIGINT NOT NULL,
    backfill_micros BIGINT NOT NULL,
    refused_until   BIGINT NOT NULL,
    refused_millis  BIGINT NOT NULL,
    used_at         BIGINT NOT NULL,
    PRIMARY KEY (company, interface, egress, per_millis)
-- A few rows that are updated many times a second: no column but the key is indexed, and pages have room for the next version.
) WITH (fillfactor = 50);

-- `about_at` is the newest platform time that an answer has to be later than, by as much as clocks may differ; `absent_since` is when
-- the platform first answered that there is no such entity.
ALTER TABLE questions ADD COLUMN about_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE questions ADD COLUMN absent_since BIGINT;
CREATE INDEX questions_due ON questions (tenant, next_attempt);

-- Tenants whose platform does not answer, and since when: what waits for an answer is not given up on meanwhile.
CREATE TABLE silences (
    tenant TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    since  BIGINT NOT NULL
);

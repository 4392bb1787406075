-- What became of the records of forms. `content_hash` is of what was mapped out of a record, `reasons` a JSON list of what is wrong.
-- `untold`: the outcome is still to be written back into the form.
CREATE TABLE form_records (
    tenant       TEXT COLLATE "C" NOT NULL,
    form         TEXT COLLATE "C" NOT NULL,
    record       TEXT COLLATE "C" NOT NULL,
    content_hash TEXT NOT NULL,
    state        TEXT NOT NULL,
    user_id      TEXT,
    reasons      TEXT,
    attempts     INTEGER NOT NULL,
    updated_at   BIGINT NOT NULL,
    untold       BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, form, record)
);
CREATE INDEX form_records_untold ON form_records (tenant, form) WHERE untold;

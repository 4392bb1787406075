-- Between these two moments callbacks could not be taken over, and their platform may have given up.
CREATE TABLE gaps (
    tenant TEXT   PRIMARY KEY NOT NULL,
    since  BIGINT NOT NULL,
    until  BIGINT NOT NULL
);

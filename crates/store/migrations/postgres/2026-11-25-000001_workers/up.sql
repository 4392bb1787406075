-- Who consumes what at the moment: partitions are shared out among them.
CREATE TABLE workers (
    queue    TEXT COLLATE "C" NOT NULL,
    instance TEXT COLLATE "C" NOT NULL,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (queue, instance)
);

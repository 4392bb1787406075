-- Who consumes what at the moment: partitions are shared out among them.
CREATE TABLE workers (
    queue    TEXT   NOT NULL,
    instance TEXT   NOT NULL,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (queue, instance)
);

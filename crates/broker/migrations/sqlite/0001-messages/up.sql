-- One row carries a JSON array of documents of one partition. AUTOINCREMENT, since a number must never come again: what
-- was handled is remembered as "up to this number".
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    hop TEXT NOT NULL,
    lane TEXT NOT NULL,
    partition BIGINT NOT NULL,
    elements INTEGER NOT NULL,
    body BLOB NOT NULL
);

-- With the number of elements in it, counting the depth never touches the bodies.
CREATE INDEX messages_by_queue ON messages (hop, lane, partition, seq, elements);

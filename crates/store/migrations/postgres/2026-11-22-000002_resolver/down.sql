DROP TABLE replays;
DROP TABLE outbox;
DROP TABLE questions;
DROP TABLE releases;
DROP TABLE waiting;
DROP TABLE records;
DROP TABLE event_keys;

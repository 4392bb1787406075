CREATE TABLE words (word TEXT PRIMARY KEY NOT NULL, length INTEGER CHECK (length > 0), likes TEXT REFERENCES words (word));

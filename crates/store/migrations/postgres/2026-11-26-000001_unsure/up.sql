-- Whether an entity that is noted as absent may be at the destination all the same: it was sent, and nobody heard an answer.
ALTER TABLE held ADD COLUMN unsure BOOLEAN NOT NULL DEFAULT FALSE;

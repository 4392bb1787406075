DROP TABLE silences;
DROP INDEX questions_due;
ALTER TABLE questions DROP COLUMN absent_since;
ALTER TABLE questions DROP COLUMN about_at;

-- Fields in which a destination may differ from what it last took: JSON, absent where nothing is in doubt.
ALTER TABLE taken ADD COLUMN doubt TEXT;

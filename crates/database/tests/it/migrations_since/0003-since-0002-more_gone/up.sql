DROP TABLE IF EXISTS former_words;

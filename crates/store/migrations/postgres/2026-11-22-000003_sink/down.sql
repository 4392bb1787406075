DROP TABLE dead_letters;
DROP TABLE attempts;
DROP TABLE messages;
DROP TABLE taken;
DROP TABLE held;
DROP TABLE destinations;

DROP TABLE kind_silences;

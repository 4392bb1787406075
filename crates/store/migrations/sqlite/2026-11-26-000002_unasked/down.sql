DROP INDEX records_unasked;

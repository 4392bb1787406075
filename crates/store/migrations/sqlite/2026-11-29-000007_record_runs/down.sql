DROP TABLE failed_reads;
DROP TABLE record_runs;

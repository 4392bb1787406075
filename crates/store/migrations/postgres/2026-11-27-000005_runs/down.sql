DROP TABLE sync_pauses;
DROP TABLE plan_items;
DROP TABLE sync_runs;

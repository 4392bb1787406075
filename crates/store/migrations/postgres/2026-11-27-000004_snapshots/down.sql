DROP TABLE walks;
DROP TABLE brake_passes;
DROP TABLE inferred_removals;
DROP TABLE snapshot_rows;
DROP TABLE snapshots;

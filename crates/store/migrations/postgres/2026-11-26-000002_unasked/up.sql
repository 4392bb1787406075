-- Who is to be asked for next: without it each look would pass by all who were asked for already and still wait.
CREATE INDEX records_unasked ON records (tenant, parked_since) WHERE parked_since IS NOT NULL AND NOT asked;

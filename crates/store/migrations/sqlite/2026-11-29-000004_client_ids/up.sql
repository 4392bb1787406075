-- Which tenant an app of DingTalk belongs to: one that is removed leaves it to whoever comes.
CREATE TABLE client_ids (
    client_id TEXT PRIMARY KEY NOT NULL,
    tenant    TEXT NOT NULL
);

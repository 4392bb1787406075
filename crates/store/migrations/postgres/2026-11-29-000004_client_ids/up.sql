-- Which tenant an app of DingTalk belongs to: one that is removed leaves it to whoever comes.
CREATE TABLE client_ids (
    client_id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    tenant    TEXT COLLATE "C" NOT NULL
);

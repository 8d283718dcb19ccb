-- Schema 7: what is remembered of the stations across their sessions, and which station stands where.

-- The serial number that a station must say in its BootNotification; NULL: its first one counts.
ALTER TABLE station ADD COLUMN serial TEXT;
-- How often an operator has put another station in its place.
ALTER TABLE station ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0;

-- What a station's sessions leave to the next one. No part of the register: writing here does not
-- count its revision on.
CREATE TABLE memory (
    tenant   TEXT NOT NULL,
    identity TEXT NOT NULL,
    -- As `guard::StationMemory` writes itself. SIMs are in it only as what a key makes of them.
    bytes    BLOB NOT NULL,
    PRIMARY KEY (tenant, identity)
) STRICT, WITHOUT ROWID;

-- Whether the last gate that used the memories has written all of them before it ended.
CREATE TABLE memory_use (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    -- Counts the gates that used them.
    opened INTEGER NOT NULL,
    whole  INTEGER NOT NULL CHECK (whole IN (0, 1))
) STRICT;
INSERT INTO memory_use (only, opened, whole) VALUES (1, 0, 1);

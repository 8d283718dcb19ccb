-- One row for each identifier within one epoch. Whoever has this file and the root, but not the key
-- of the day that a row was wrapped on, can neither read a row nor find out whether a guess is in it.
CREATE TABLE subjects (
    -- Keyed hash of tenant, epoch and folded identifier: the only way from an identifier to its row.
    tag      BLOB NOT NULL PRIMARY KEY,
    -- Keyed hash of the handle: the only way from a record to its row.
    handle   BLOB NOT NULL UNIQUE,
    -- The day whose wrapping key opens the row, and makes its tags.
    kek      INTEGER NOT NULL,
    -- The first and the last day on which it was seen: retention counts from the last.
    since    INTEGER NOT NULL,
    seen     INTEGER NOT NULL,
    -- 1: a legal hold stands on it.
    held     INTEGER NOT NULL DEFAULT 0,
    -- Handle, class, epoch and the subject's own key, sealed under the day's wrapping key.
    row      BLOB NOT NULL,
    -- Tenant and identifier, sealed under the subject's own key.
    original BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX subjects_by_kek ON subjects (kek);
CREATE INDEX subjects_by_seen ON subjects (seen);

-- The epochs that handles were given in, by their first days.
CREATE TABLE epochs (
    first_day INTEGER NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- One row: the day whose wrapping key new rows get, and the last day to which the clock jumped.
CREATE TABLE wrapping (
    only   INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    kek    INTEGER NOT NULL,
    jumped INTEGER
) STRICT, WITHOUT ROWID;

-- What was done to subjects and is not in the record yet: erasures, holds, retention. Names nobody.
CREATE TABLE acts (
    number  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    what    TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;

-- Requests for originals: who asked, for which handles, what for, and who agreed to it.
CREATE TABLE reveals (
    case_number TEXT NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL,
    by_whom     TEXT NOT NULL,
    -- Twelve bytes each.
    handles     BLOB NOT NULL,
    purpose     TEXT NOT NULL,
    -- 1: few enough to be answered without another person's consent.
    alone       INTEGER NOT NULL,
    approved_by TEXT
) STRICT, WITHOUT ROWID;

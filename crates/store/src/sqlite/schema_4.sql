-- Schema 4: refused messages that money hangs on, until somebody has looked at them. They are no part
-- of the register: writing here does not count its revision on.
CREATE TABLE refused (
    -- AUTOINCREMENT: a number that somebody has noted never means another message.
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Milliseconds since 1970-01-01T00:00:00Z.
    at       INTEGER NOT NULL,
    tenant   TEXT    NOT NULL,
    identity TEXT    NOT NULL,
    version  TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    -- A control's name, or 'hard fault'.
    refused_by TEXT  NOT NULL,
    why      TEXT    NOT NULL,
    bytes    INTEGER NOT NULL,
    -- AES-256-GCM under the key file, bound to tenant, identity and time; NULL once it is settled.
    text     BLOB,
    settled  TEXT CHECK (settled IN ('released', 'dropped', 'expired')),
    settled_at INTEGER,
    CHECK ((settled IS NULL) = (text IS NOT NULL)),
    CHECK ((settled IS NULL) = (settled_at IS NULL))
) STRICT;
CREATE INDEX refused_open ON refused (number) WHERE settled IS NULL;

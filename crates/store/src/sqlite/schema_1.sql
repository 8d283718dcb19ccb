-- Schema 1 of the register. A migration is a new file beside this one; this one is never edited.

-- Which key file this database was made with: the key's short name, from which the key cannot be
-- found. It tells a wrong key file from a damaged row, before anything is read.
CREATE TABLE key_name (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    name TEXT    NOT NULL
) STRICT;

-- Counts the changes of everything below. The running gate looks at it every second, and reads the
-- register anew when it has moved.
CREATE TABLE revision (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    number INTEGER NOT NULL
) STRICT;
INSERT INTO revision (only, number) VALUES (1, 1);

-- The stations that may knock, each within its tenant (the CPO, or one of its brands).
CREATE TABLE station (
    tenant   TEXT    NOT NULL,
    -- As the station spells it in the path; compared byte for byte.
    identity TEXT    NOT NULL,
    -- In lower case: two identities that differ only in case cannot both be registered.
    folded   TEXT    NOT NULL,
    enabled  INTEGER NOT NULL CHECK (enabled IN (0, 1)),

    -- What proves that it is this station. No password is here, only enough to check one.
    credential    TEXT NOT NULL CHECK (credential IN ('password', 'certificate', 'certificate-name')),
    -- 'octets': the bytes as they are; 'hex': registered as hexadecimal digits (1.6 AuthorizationKey).
    password_form TEXT CHECK (password_form IN ('octets', 'hex')),
    -- HMAC-SHA-256 under the gate's key, for secrets that a machine made …
    fast_salt     BLOB CHECK (length(fast_salt) = 16),
    fast_tag      BLOB CHECK (length(fast_tag) = 32),
    -- … and argon2id in PHC form for those that a person may have chosen.
    slow_phc      TEXT,
    -- SHA-256 of the client certificate (DER).
    fingerprint   BLOB CHECK (length(fingerprint) = 32),

    -- Versions it may speak: '1.6 2.0.1 2.1'.
    versions      TEXT NOT NULL,
    -- What it speaks when it names no subprotocol; NULL: such a handshake is refused.
    unnamed       TEXT,

    -- The password shown to the CSMS in its name: AES-256-GCM under the key file, bound to this row.
    upstream_password BLOB,

    -- When it was registered, UTC.
    added_at      TEXT NOT NULL,

    PRIMARY KEY (tenant, identity),
    UNIQUE (tenant, folded),
    CHECK (credential <> 'password'
           OR (password_form IS NOT NULL
               AND ((fast_salt IS NOT NULL AND fast_tag IS NOT NULL) <> (slow_phc IS NOT NULL)))),
    CHECK ((credential = 'certificate') = (fingerprint IS NOT NULL))
) STRICT;

-- One certificate proves one station.
CREATE UNIQUE INDEX station_by_fingerprint ON station (fingerprint) WHERE fingerprint IS NOT NULL;

-- Which path leads to which CSMS.
CREATE TABLE route (
    id         TEXT PRIMARY KEY,
    -- '/ocpp/{identity}'
    path       TEXT NOT NULL UNIQUE,
    tenant     TEXT NOT NULL,
    upstream   TEXT NOT NULL,
    -- What the CSMS is shown: the station's own header, nothing, one password for all, or each its own.
    credential TEXT NOT NULL CHECK (credential IN ('forward', 'none', 'fixed', 'per-station')),
    -- The one password for all: AES-256-GCM under the key file, bound to this row.
    password   BLOB,
    -- Who wrote this line: 'file' lines are replaced by those of portcullis.toml at every start.
    source     TEXT NOT NULL CHECK (source IN ('file', 'operator')),
    position   INTEGER NOT NULL,
    CHECK ((credential = 'fixed') = (password IS NOT NULL))
) STRICT;

-- Schema 2: stations that come in by exception alone, makers and models, and a route's organisation.

-- SQLite cannot widen a CHECK, so the table is made anew and takes the rows over.
CREATE TABLE station_2 (
    tenant   TEXT    NOT NULL,
    -- As the station spells it in the path; compared byte for byte.
    identity TEXT    NOT NULL,
    -- In lower case: two identities that differ only in case cannot both be registered.
    folded   TEXT    NOT NULL,
    enabled  INTEGER NOT NULL CHECK (enabled IN (0, 1)),

    -- What proves that it is this station. No password is here, only enough to check one.
    -- 'exception': it has nothing to show, and comes in only where an exception lets it in.
    credential    TEXT NOT NULL
        CHECK (credential IN ('password', 'certificate', 'certificate-name', 'exception')),
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

    -- Who made it, and which model it is: by these an exception may name many stations at once.
    maker         TEXT,
    model         TEXT,

    -- When it was registered, UTC.
    added_at      TEXT NOT NULL,

    PRIMARY KEY (tenant, identity),
    UNIQUE (tenant, folded),
    CHECK (credential <> 'password'
           OR (password_form IS NOT NULL
               AND ((fast_salt IS NOT NULL AND fast_tag IS NOT NULL) <> (slow_phc IS NOT NULL)))),
    CHECK ((credential = 'certificate') = (fingerprint IS NOT NULL))
) STRICT;

INSERT INTO station_2 (tenant, identity, folded, enabled, credential, password_form, fast_salt,
    fast_tag, slow_phc, fingerprint, versions, unnamed, upstream_password, added_at)
SELECT tenant, identity, folded, enabled, credential, password_form, fast_salt,
    fast_tag, slow_phc, fingerprint, versions, unnamed, upstream_password, added_at
FROM station;
DROP TABLE station;
ALTER TABLE station_2 RENAME TO station;

-- One certificate proves one station.
CREATE UNIQUE INDEX station_by_fingerprint ON station (fingerprint) WHERE fingerprint IS NOT NULL;

-- The CPO, as it must stand in the certificates of stations that come this way; NULL: what their
-- listener says.
ALTER TABLE route ADD COLUMN organization TEXT;

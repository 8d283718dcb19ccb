-- Schema 6: credentials that stations have been given through the gate and have not shown yet (threat
-- D03). Both are good then, the registered one and this; after a restart, too.
CREATE TABLE pending_credential (
    tenant   TEXT NOT NULL,
    identity TEXT NOT NULL,
    -- By what it is known when it is shown: the kind, and a password's keyed fingerprint or a
    -- certificate's SHA-256. Sealed under the key file and bound to the station; no password is here.
    mark     BLOB NOT NULL,
    -- Until then the registered one is good as well: milliseconds since 1970, UTC.
    until    INTEGER NOT NULL,
    -- The station has said that it takes it.
    accepted INTEGER NOT NULL CHECK (accepted IN (0, 1))
) STRICT;
CREATE INDEX pending_credential_of ON pending_credential (tenant, identity);

-- Schema 5: the way back. Whom an operator in trouble has reduced to TLS, authentication and relay;
-- it outlives restarts until somebody takes it back.
CREATE TABLE relaxed (
    -- '' for everybody
    tenant   TEXT NOT NULL,
    -- '' for all stations of the tenant
    identity TEXT NOT NULL,
    since    TEXT NOT NULL,
    PRIMARY KEY (tenant, identity),
    CHECK (tenant <> '' OR identity = '')
) STRICT;

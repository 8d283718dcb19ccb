-- Schema 3: what is known of a station's password beside its verifier (threat A07): a keyed fingerprint,
-- by which equal passwords are found, and what makes it weak. Sealed under the key file and bound to
-- this row: in clear it would tell a thief of the database which hashes are worth the guessing.
-- NULL: the station has no password, or nobody has said it since this is asked.
ALTER TABLE station ADD COLUMN password_traits BLOB;

-- Schema 8: stations that the CSMS has vouched for in an adoption window, and that nobody has looked at
-- since.
ALTER TABLE station ADD COLUMN adopted INTEGER NOT NULL DEFAULT 0 CHECK (adopted IN (0, 1));

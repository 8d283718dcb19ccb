-- Schema 9: each station has a share of the room for refused messages, so its open ones are counted.
CREATE INDEX refused_open_of_station ON refused (tenant, identity) WHERE settled IS NULL;

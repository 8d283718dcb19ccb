//! The other side: stations, a CSMS, fleets and a throw-away CA, for demo, tests and benchmark.

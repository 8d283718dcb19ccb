//! What we know: stations, credentials and routes.

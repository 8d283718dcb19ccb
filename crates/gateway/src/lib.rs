//! Where it flows: listener, handshake, session, upstream.

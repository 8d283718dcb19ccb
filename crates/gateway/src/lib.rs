//! Where it flows: from a station's socket to its CSMS and back.
//!
//! ```text
//! accept → lobby → TLS → request head → authentication → upstream handshake → 101 → relay
//! ```
//!
//! The order is the security argument: no upstream socket before authentication, no 101 before the
//! CSMS has agreed, and nothing leaves a relay but what `guard` cleared or made itself. This room
//! sees `ocpp` and `guard` only; who may connect arrives as a snapshot, what happened leaves through
//! a bounded queue that is never waited for.

mod accept;
mod adoption;
mod certificate;
mod change;
pub mod client_hello;
mod clock;
mod counters;
mod credential;
mod events;
mod gate;
mod gateway;
mod generation;
pub mod http;
mod kept;
mod lessons;
mod live;
mod lobby;
mod memories;
mod memory;
mod password;
mod proxy;
mod records;
mod relay;
mod revocation;
mod settings;
mod socket;
mod sockets;
mod target;
mod tls;
mod turns;
mod upstream;
mod welcome;
mod wire;
mod worker;
pub mod ws;

pub use clock::{Clock, WallClock};
pub use counters::{Counters, CountersSnapshot};
pub use events::{
    Batch, Durable, EventReceiver, EventSender, Ordinal, Pace, event_queue, event_queue_waited_for,
};
pub use gate::Shared;
pub use gateway::{Gateway, StartError};
pub use generation::Renewal;
pub use kept::{Kept, KeptMessage};
pub use lessons::{LessonReceiver, LessonSender, lesson_queue};
pub use memories::{Memories, MemoryKey};
pub use memory::Memory;
pub use relay::Released;
pub use revocation::{RevocationError, read_revocation_lists};
pub use settings::{
    GateLimits, ListenerSettings, PasswordSettings, PemIdentity, SessionSettings, Settings,
    TlsSettings, UpstreamSettings,
};
pub use sockets::ListeningSocket;
pub use target::{InvalidTarget, Target};
pub use tls::TlsError;
pub use turns::HANDSHAKE_STEPS_MAX;

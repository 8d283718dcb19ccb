//! What the limits come to in memory: the stated bound, for whoever plans a machine.
//!
//! What one of each costs is measured and rounded up; the benchmark holds the gate to it.

use crate::settings::GateLimits;

/// One part of the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Of what.
    pub of_what: &'static str,
    /// Bytes of one, at most.
    pub bytes_each: u64,
    /// How many of them at most, by the setting that says so.
    pub how_many: &'static str,
    many: u64,
}

impl Memory {
    /// A station that is connected and silent: both hops, TLS included, and its conversation's state.
    pub const IDLE_STATION: u64 = 12 << 10;
    /// The same where both hops have agreed on compression.
    pub const IDLE_STATION_DEFLATE: u64 = 16 << 10;
    /// A connection that waits: its socket's place in the runtime, its task and its ticket. What it has
    /// said lies in the kernel.
    pub const WAITING: u64 = 4 << 10;
    /// A handshake: a record and a handshake message of the greatest size, a request head, and the task.
    pub const HANDSHAKE: u64 = 128 << 10;
    /// The most that a station with a credential can make its session hold, and its CSMS with it: in each
    /// direction a message that is not whole, one that waits beyond the bound of those that wait, and one
    /// that is not taken; and what is kept while it is asked whether it lives.
    pub const BUSY_STATION: u64 = 7 << 20;

    /// The program, its rules, and the register of a large fleet.
    pub const PROGRAM: u64 = 64 << 20;

    /// The bound of one worker that has nobody connected, part by part.
    pub fn of(limits: &GateLimits) -> [Memory; 5] {
        let count = |many: usize| many as u64;
        [
            Memory {
                of_what: "a connection that waits",
                bytes_each: Memory::WAITING,
                how_many: "`waiting_max`, of each worker",
                many: count(limits.waiting_max),
            },
            Memory {
                of_what: "a handshake",
                bytes_each: Memory::HANDSHAKE,
                how_many: "`handshakes_max`, of each worker",
                many: count(limits.handshakes_max),
            },
            Memory {
                of_what: "a check of a chosen password",
                bytes_each: 19 << 20,
                how_many: "`slow_hashes_max`",
                many: count(limits.slow_hashes_max),
            },
            Memory {
                of_what: "a remembered check",
                bytes_each: 80,
                how_many: "`hashes_remembered_max`",
                many: count(limits.hashes_remembered_max),
            },
            Memory {
                of_what: "a TLS 1.2 session without a ticket",
                bytes_each: 2 << 10,
                how_many: "`tls12_sessions_max`, of each listener",
                many: count(limits.tls12_sessions_max),
            },
        ]
    }

    /// All of them together.
    pub fn bytes(&self) -> u64 {
        self.bytes_each * self.many
    }

    /// What strangers, who have no credential, can make a gate of so many workers and listeners hold.
    pub fn of_strangers(limits: &GateLimits, workers: u64, listeners: u64) -> u64 {
        let [waiting, handshakes, checks, remembered, sessions] = Memory::of(limits);
        let of_workers = (waiting.bytes() + handshakes.bytes()) * workers.max(1);
        let of_listeners = sessions.bytes() * listeners;
        of_workers + checks.bytes() + remembered.bytes() + of_listeners
    }

    /// What a gate wants with that many stations connected and silent, and strangers at their worst:
    /// the sum of docs/reference/limits.md.
    pub fn of_fleet(
        limits: &GateLimits,
        stations: u64,
        compressed: bool,
        workers: u64,
        listeners: u64,
    ) -> u64 {
        let each = match compressed {
            true => Memory::IDLE_STATION_DEFLATE,
            false => Memory::IDLE_STATION,
        };
        let strangers = Memory::of_strangers(limits, workers, listeners);
        stations.saturating_mul(each) + strangers + Memory::PROGRAM
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_workers_let_twice_as_many_wait() {
        let limits = GateLimits::default();
        let [waiting, handshakes, ..] = Memory::of(&limits);
        assert_eq!(waiting.bytes() + handshakes.bytes(), 128 << 20);
        let one = Memory::of_strangers(&limits, 1, 1);
        let two = Memory::of_strangers(&limits, 2, 1);
        assert_eq!(two - one, 128 << 20);
        let fleet = |stations, compressed| Memory::of_fleet(&limits, stations, compressed, 2, 1);
        assert_eq!(fleet(0, false), two + (64 << 20));
        assert_eq!(fleet(1000, false) - fleet(0, true), 1000 * (12 << 10));
        assert_eq!(fleet(1000, true) - fleet(0, true), 1000 * (16 << 10));
    }
}

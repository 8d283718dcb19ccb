//! Where attempts come from, as far as one party can be told from another.

use std::net::IpAddr;

/// An IPv4 address, or an IPv6 network of /64: whoever has one address of it has them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// An IPv4 address.
    V4(u32),
    /// The first half of an IPv6 address.
    V6(u64),
}

impl Source {
    /// The source that an address belongs to; an IPv4 address written as IPv6 is one of IPv4.
    pub fn of(address: IpAddr) -> Source {
        match address.to_canonical() {
            IpAddr::V4(address) => Source::V4(address.to_bits()),
            // The shift leaves 64 bits, so nothing is cut off.
            IpAddr::V6(address) => Source::V6((address.to_bits() >> 64) as u64),
        }
    }
}

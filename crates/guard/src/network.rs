//! A network as an operator writes it: `10.0.0.0/8`, `2001:db8::/32`, or one address alone.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

/// Why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetwork {
    /// There is no address in it.
    #[error("there is no IP address in it")]
    Address,
    /// The number behind the slash.
    #[error("the number behind the slash is none, or longer than an address")]
    Prefix,
    /// It names one address within a network: likely not what is meant.
    #[error("bits behind the first {0} are not zero")]
    Bits(u32),
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Network, InvalidNetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork::Address)?;
        let bits = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        let prefix = match prefix {
            None => bits,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| InvalidNetwork::Prefix)?
            }
            Some(_) => return Err(InvalidNetwork::Prefix),
        };
        if prefix > bits {
            return Err(InvalidNetwork::Prefix);
        }
        let network = Network { address, prefix };
        if network.first(address) != all_bits(address) {
            return Err(InvalidNetwork::Bits(prefix));
        }
        Ok(network)
    }
}

/// As it is written.
impl fmt::Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.address, self.prefix)
    }
}

impl Network {
    /// Whether an address lies in it; an IPv4 address written as IPv6 counts as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4()
            && self.first(address) == self.first(self.address)
    }

    /// Whether every address of its kind lies in it.
    pub fn is_everywhere(&self) -> bool {
        self.prefix == 0
    }

    /// An address with all bits behind the prefix cleared.
    fn first(&self, address: IpAddr) -> u128 {
        let behind = match address {
            IpAddr::V4(_) => 32_u32.saturating_sub(self.prefix),
            IpAddr::V6(_) => 128_u32.saturating_sub(self.prefix),
        };
        let kept = u128::MAX.checked_shl(behind).unwrap_or(0);
        all_bits(address) & kept
    }
}

fn all_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_network() {
        let table = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db8::1", true),
            ("::1", "::1", true),
        ];
        for (network, address, lies_in) in table {
            let network: Network = network.parse().unwrap();
            let address = address.parse().unwrap();
            assert_eq!(network.contains(address), lies_in, "{network:?} {address}");
        }
    }

    #[test]
    fn what_is_no_network() {
        use InvalidNetwork::{Address, Bits, Prefix};
        let table = [
            ("", Address),
            ("ten", Address),
            ("10.0.0/8", Address),
            ("10.0.0.0/", Prefix),
            ("10.0.0.0/33", Prefix),
            ("10.0.0.0/+8", Prefix),
            ("10.0.0.0/8/8", Prefix),
            ("10.0.0.0/99999999999", Prefix),
            ("::/129", Prefix),
            ("10.0.0.1/8", Bits(8)),
            ("2001:db8::1/64", Bits(64)),
        ];
        for (text, why) in table {
            assert_eq!(text.parse::<Network>(), Err(why), "{text:?}");
        }
    }
}

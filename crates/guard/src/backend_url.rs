//! Addresses of CSMSs that a station may be pointed to, read strictly: what two readers could take for
//! two addresses is none.

/// Where a CSMS is: `wss://gate.example/ocpp`. It stands for everything below its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendUrl {
    secure: bool,
    host: String,
    port: u16,
    /// Without the slash at its end.
    path: String,
}

impl BackendUrl {
    /// Addresses that a configuration may allow.
    pub const ALLOWED_MAX: usize = 256;

    /// Reads one that an operator wrote: with its scheme and without user information.
    pub fn parse(text: &str) -> Option<BackendUrl> {
        let read = Address::read(text)?;
        let plain = !read.has_userinfo && !read.tail.contains(['?', '#']);
        plain.then_some(BackendUrl {
            secure: read.secure?,
            port: read.port_or_usual()?,
            host: read.host,
            path: read.tail.trim_end_matches('/').to_owned(),
        })
    }

    fn holds(&self, address: &Address) -> bool {
        let path = address.tail.split(['?', '#']).next().unwrap_or_default();
        let below = path.strip_prefix(self.path.as_str());
        // A scheme that is not said is the station's own choice.
        address.secure.is_none_or(|secure| secure == self.secure)
            && address.host == self.host
            && address.port_or(self.port) == Some(self.port)
            && below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    }
}

/// Where a value points a station to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointed {
    Home,
    HomeWithUserinfo,
    Away,
    AwayWithUserinfo,
    /// It cannot be read without doubt.
    Nowhere,
}

pub(crate) fn points(value: &str, allowed: &[BackendUrl]) -> Pointed {
    let Some(address) = Address::read(value.trim()) else {
        return Pointed::Nowhere;
    };
    let is_home = allowed.iter().any(|allowed| allowed.holds(&address));
    match (is_home, address.has_userinfo) {
        (true, false) => Pointed::Home,
        (true, true) => Pointed::HomeWithUserinfo,
        (false, false) => Pointed::Away,
        (false, true) => Pointed::AwayWithUserinfo,
    }
}

struct Address {
    /// `None`: no scheme.
    secure: Option<bool>,
    has_userinfo: bool,
    /// In lower case.
    host: String,
    port: Option<u16>,
    /// Path, query and fragment.
    tail: String,
}

impl Address {
    fn read(text: &str) -> Option<Address> {
        let doubtful = |byte: u8| !byte.is_ascii_graphic() || b"\\\"<>^`{|}".contains(&byte);
        if text.is_empty() || text.bytes().any(doubtful) {
            return None;
        }
        let (secure, rest) = match text.split_once("://") {
            None => (None, text),
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "ws" | "http" => (Some(false), rest),
                "wss" | "https" => (Some(true), rest),
                _ => return None,
            },
        };
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (userinfo, place) = match authority.rsplit_once('@') {
            Some((userinfo, place)) => (Some(userinfo), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place)?;
        let path = tail.split(['?', '#']).next().unwrap_or_default();
        if climbs(path) {
            return None;
        }
        Some(Address {
            secure,
            has_userinfo: userinfo.is_some(),
            host: host.to_ascii_lowercase(),
            port,
            tail: tail.to_owned(),
        })
    }

    fn port_or_usual(&self) -> Option<u16> {
        self.port_or(if self.secure? { 443 } else { 80 })
    }

    /// The port, where the scheme does not say it either.
    fn port_or(&self, usual: u16) -> Option<u16> {
        match (self.port, self.secure) {
            (Some(port), _) => Some(port),
            (None, Some(secure)) => Some(if secure { 443 } else { 80 }),
            (None, None) => Some(usual),
        }
    }
}

fn host_and_port(place: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (inside, after) = rest.split_once(']')?;
            inside.parse::<std::net::Ipv6Addr>().ok()?;
            (inside, after)
        }
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_name) {
        return None;
    }
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        None if port.is_empty() => None,
        _ => return None,
    };
    Some((host, port))
}

/// Whether a path may lead out of itself.
fn climbs(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    lower.contains("%2e") || lower.contains("%2f") || lower.split('/').any(|step| step == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_allowed_is_home() {
        let allowed: Vec<BackendUrl> = ["wss://gate.example/ocpp", "ws://10.0.0.1:9000"]
            .iter()
            .map(|text| BackendUrl::parse(text).unwrap())
            .collect();
        for (value, wanted) in [
            ("wss://gate.example/ocpp", Pointed::Home),
            ("WSS://Gate.Example:443/ocpp/", Pointed::Home),
            (" wss://gate.example/ocpp/CP-1?x=1", Pointed::Home),
            ("gate.example/ocpp", Pointed::Home),
            ("ws://10.0.0.1:9000/anything", Pointed::Home),
            ("10.0.0.1:9000", Pointed::Home),
            ("wss://user@gate.example/ocpp", Pointed::HomeWithUserinfo),
            ("ws://gate.example/ocpp", Pointed::Away),
            ("wss://gate.example/ocppx", Pointed::Away),
            ("wss://gate.example:8443/ocpp", Pointed::Away),
            ("wss://gate.example.evil.test/ocpp", Pointed::Away),
            ("wss://evil.test/ocpp", Pointed::Away),
            ("evil.test", Pointed::Away),
            ("ws://10.0.0.1/", Pointed::Away),
            (
                "wss://gate.example@evil.test/ocpp",
                Pointed::AwayWithUserinfo,
            ),
            ("wss://gate.example/ocpp/../evil", Pointed::Nowhere),
            ("wss://gate.example/ocpp/%2e%2e/evil", Pointed::Nowhere),
            ("wss://evil.test\\@gate.example/ocpp", Pointed::Nowhere),
            ("wss://gate.example /ocpp", Pointed::Nowhere),
            ("wss://gate.example:0x1/ocpp", Pointed::Nowhere),
            ("gopher://gate.example/ocpp", Pointed::Nowhere),
            ("wss://gäte.example/ocpp", Pointed::Nowhere),
            ("wss:///ocpp", Pointed::Nowhere),
            ("", Pointed::Nowhere),
        ] {
            assert_eq!(points(value, &allowed), wanted, "{value}");
        }
        assert_eq!(points("wss://gate.example/ocpp", &[]), Pointed::Away);
    }

    #[test]
    fn an_operator_writes_whole_addresses() {
        for text in [
            "gate.example",
            "wss://u@gate.example",
            "wss://gate.example/?x",
            "x://y",
        ] {
            assert_eq!(BackendUrl::parse(text), None, "{text}");
        }
        let any = BackendUrl::parse("wss://[2001:db8::1]:8443").unwrap();
        assert_eq!(points("wss://[2001:DB8::1]:8443/x", &[any]), Pointed::Home);
    }
}

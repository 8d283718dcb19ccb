//! Where a route leads: `ws://host[:port][/path]` or `wss://…`, read once and strictly.

/// A CSMS's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `wss`.
    pub tls: bool,
    /// Host name or address, without brackets.
    pub host: String,
    /// Port; 80 and 443 when the URL has none.
    pub port: u16,
    /// Host and port as the `Host` header wants them.
    pub authority: String,
    /// The path without its trailing slash; the identity is appended as one more segment.
    pub path: String,
}

/// Why a URL is no upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// Neither `ws` nor `wss`.
    #[error("it must begin with ws:// or wss://")]
    Scheme,
    /// No host, or one with characters that no host has.
    #[error("its host is not one")]
    Host,
    /// Not a port.
    #[error("its port is not one")]
    Port,
    /// User information does not belong in a URL: use the route's `credential`.
    #[error("it holds a user name or password; use the route's credential setting instead")]
    UserInfo,
    /// A query, a fragment, or a character that needs escaping.
    #[error("its path may hold neither ? nor # nor spaces")]
    Path,
}

impl Target {
    /// Reads an upstream's URL.
    pub fn parse(url: &str) -> Result<Target, InvalidTarget> {
        let (tls, rest) = match (url.strip_prefix("ws://"), url.strip_prefix("wss://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(InvalidTarget::Scheme),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(InvalidTarget::UserInfo);
        }
        if !path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#'))
        {
            return Err(InvalidTarget::Path);
        }
        let (host, port) = split_authority(authority)?;
        let port = match port {
            None if tls => 443,
            None => 80,
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or(InvalidTarget::Port)?,
        };
        Ok(Target {
            tls,
            host: host.to_owned(),
            port,
            authority: authority.to_owned(),
            path: path.trim_end_matches('/').to_owned(),
        })
    }
}

fn split_authority(authority: &str) -> Result<(&str, Option<&str>), InvalidTarget> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(InvalidTarget::Host)?;
            host.parse::<std::net::Ipv6Addr>()
                .map_err(|_| InvalidTarget::Host)?;
            let port = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':').ok_or(InvalidTarget::Port)?),
            };
            return Ok((host, port));
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if host.is_empty() || !host.bytes().all(allowed) {
        return Err(InvalidTarget::Host);
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::{InvalidTarget, Target};

    #[test]
    fn reads_what_operators_write() {
        let target = Target::parse("wss://csms.example/ocpp/").unwrap();
        assert_eq!(
            (target.tls, target.port, target.path.as_str()),
            (true, 443, "/ocpp")
        );
        let target = Target::parse("ws://127.0.0.1:8180").unwrap();
        assert_eq!(
            (target.host.as_str(), target.port, target.path.as_str()),
            ("127.0.0.1", 8180, "")
        );
        let target = Target::parse("ws://[::1]:9000/a/b").unwrap();
        assert_eq!(
            (target.host.as_str(), target.authority.as_str()),
            ("::1", "[::1]:9000")
        );
    }

    #[test]
    fn refuses_what_leads_astray() {
        for (url, why) in [
            ("http://csms.example", InvalidTarget::Scheme),
            ("ws://", InvalidTarget::Host),
            ("ws://a b/", InvalidTarget::Host),
            ("ws://host:0/", InvalidTarget::Port),
            ("ws://host:65536/", InvalidTarget::Port),
            ("ws://[::1/x", InvalidTarget::Host),
            ("ws://user:pw@host/", InvalidTarget::UserInfo),
            ("ws://host/x?y=1", InvalidTarget::Path),
            ("ws://host/x\r\nEvil: 1", InvalidTarget::Path),
        ] {
            assert_eq!(Target::parse(url), Err(why), "{url}");
        }
    }
}

//! Where a CSMS is: `ws://host:port/path` or `wss://…`, and nothing that a request could be bent with.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;

/// The address of a CSMS, without the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamUrl {
    /// By TLS.
    pub tls: bool,
    /// A name or an address, IPv6 in brackets.
    pub host: String,
    /// The port; 80 or 443 when it was not named.
    pub port: u16,
    /// Begins with `/`, and does not end with it unless it is all there is.
    pub path: String,
}

impl UpstreamUrl {
    /// The host as a resolver takes it, without brackets.
    pub fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl FromStr for UpstreamUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<UpstreamUrl, &'static str> {
        let uri: Uri = text.parse().map_err(|_| "it is no URL")?;
        let tls = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") => true,
            _ => return Err("it must begin with ws:// or wss://"),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err("a password does not belong in a URL; use `credential`");
        }
        if uri.query().is_some() || text.contains('#') {
            return Err("it must not have a query or a fragment");
        }
        if authority.host().is_empty() {
            return Err("it names no host");
        }
        if uri.path().contains("//") || uri.path().contains(['{', '}']) {
            return Err("its path has an empty segment or a pattern");
        }
        let port = match authority.as_str().rsplit_once(':') {
            Some((_, digits)) if !digits.contains(']') => match digits.parse() {
                Ok(0) | Err(_) => return Err("its port is none"),
                Ok(port) => port,
            },
            _ if tls => 443,
            _ => 80,
        };
        let path = match uri.path().trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        Ok(UpstreamUrl {
            tls,
            host: authority.host().to_owned(),
            port,
            path: path.to_owned(),
        })
    }
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "wss" } else { "ws" };
        write!(out, "{scheme}://{}:{}{}", self.host, self.port, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_or_refused() {
        for (text, read) in [
            ("ws://csms", "ws://csms:80/"),
            ("wss://csms.example/ocpp/", "wss://csms.example:443/ocpp"),
            ("ws://127.0.0.1:9000/a/b", "ws://127.0.0.1:9000/a/b"),
            ("wss://[2001:db8::1]:8443/x", "wss://[2001:db8::1]:8443/x"),
            ("wss://[2001:db8::1]/x", "wss://[2001:db8::1]:443/x"),
        ] {
            assert_eq!(text.parse::<UpstreamUrl>().unwrap().to_string(), read);
        }
        for text in [
            "",
            "csms.example",
            "/ocpp",
            "https://csms.example",
            "ws://user:secret@csms",
            "ws://csms/?a=b",
            "ws://csms/#a",
            "ws://csms:0/",
            "ws://csms:99999/",
            "ws://csms/a//b",
            "ws://csms/{identity}",
            "ws://cs ms/",
        ] {
            assert!(text.parse::<UpstreamUrl>().is_err(), "{text}");
        }
        assert_eq!(
            "ws://[::1]".parse::<UpstreamUrl>().unwrap().bare_host(),
            "::1"
        );
    }
}

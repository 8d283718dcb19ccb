//! Is the CSMS still reachable around the gate, and do its names still lead somewhere (threat A23)? For
//! `doctor`, on this machine or, better, on one that the CSMS has no reason to know: one connection to
//! each URL, with an identity that nobody has and no credential.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use gateway::Target;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::Finding;

/// Who takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// As much of an answer as holds its status.
const ANSWER_BYTES_MAX: u64 = 4096;
const REMEDY: &str = "Have the CSMS take connections from the gate's addresses alone (firewall, allow-list, private link), and look again from another machine.";

/// What came of one knock.
#[derive(Debug, PartialEq, Eq)]
enum Knock {
    /// The name leads nowhere.
    NoName(String),
    /// Nobody answers there.
    Closed(String),
    /// Somebody answers, and TLS does not come about.
    Tls(String),
    /// Somebody answers the request for a WebSocket.
    Status(u16),
    /// Somebody answers, and not by HTTP.
    Strange,
}

/// Knocks at each of these URLs.
pub(crate) fn look(urls: &[String]) -> Vec<Finding> {
    urls.iter().map(|url| one(url)).collect()
}

fn one(url: &str) -> Finding {
    let subject = format!("side door {url}");
    match Target::parse(url) {
        Err(error) => Finding::fail(
            subject,
            error.to_string(),
            "Write it as stations dial it: wss://host/path.",
        ),
        Ok(target) => judge(subject, knock(&target)),
    }
}

fn judge(subject: String, knock: Knock) -> Finding {
    match knock {
        Knock::NoName(why) => Finding::warn(
            subject,
            format!("its name leads nowhere ({why})"),
            "A name that stations still dial and nobody holds can be taken by others (A23): keep it registered, or see that no station has it left.",
        ),
        Knock::Closed(why) => Finding::ok(subject, format!("is closed from here ({why})")),
        Knock::Tls(why) => Finding::warn(
            subject,
            format!("answers, but not by TLS as it should: {why}"),
            REMEDY,
        ),
        Knock::Status(101) => {
            Finding::fail(subject, "lets in anybody, without a credential", REMEDY)
        }
        Knock::Status(status) => Finding::warn(
            subject,
            format!("is open from here: it answers a station that nobody knows (HTTP {status})"),
            REMEDY,
        ),
        Knock::Strange => {
            Finding::warn(subject, "is open from here, and answers strangely", REMEDY)
        }
    }
}

fn knock(target: &Target) -> Knock {
    let addresses = match (target.host.as_str(), target.port).to_socket_addrs() {
        Ok(addresses) => addresses.collect::<Vec<SocketAddr>>(),
        Err(error) => return Knock::NoName(error.to_string()),
    };
    let mut closed = Knock::NoName("it has no address".to_owned());
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return speak(target, stream).unwrap_or(Knock::Strange),
            Err(error) => closed = Knock::Closed(error.to_string()),
        }
    }
    closed
}

/// `None`: what answers is no HTTP server.
fn speak(target: &Target, stream: TcpStream) -> Option<Knock> {
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let _ = stream.set_write_timeout(Some(PATIENCE));
    if !target.tls {
        return Some(Knock::Status(upgrade(target, stream)?));
    }
    let name = match target.host.parse::<IpAddr>() {
        Ok(address) => ServerName::from(address),
        Err(_) => ServerName::try_from(target.host.clone()).ok()?,
    };
    let connection = match ClientConnection::new(client()?, name) {
        Ok(connection) => connection,
        Err(error) => return Some(Knock::Tls(error.to_string())),
    };
    let mut stream = StreamOwned::new(connection, stream);
    if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
        return Some(Knock::Tls(error.to_string()));
    }
    Some(Knock::Status(upgrade(target, stream)?))
}

fn client() -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?;
    Some(Arc::new(
        builder.with_root_certificates(roots).with_no_client_auth(),
    ))
}

/// Asks for a WebSocket in the name of a station that nobody has; the status of the answer.
fn upgrade(target: &Target, mut stream: impl Read + Write) -> Option<u16> {
    // Sixteen zero bytes: the key only shows that an answer is no cache's.
    let request = format!(
        "GET {}/portcullis-doctor HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: ocpp1.6, ocpp2.0.1, ocpp2.1\r\n\r\n",
        target.path, target.authority
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    let mut stream = stream.take(ANSWER_BYTES_MAX);
    let mut part = [0; 512];
    while !answer.contains(&b'\n') {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend_from_slice(part.get(..count).unwrap_or_default()),
        }
    }
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::Level;
    use super::*;

    /// A server that hears one request and says this.
    fn server(says: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/ocpp", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 2048];
            let count = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..count]).into_owned();
            assert!(
                request.starts_with("GET /ocpp/portcullis-doctor HTTP/1.1\r\n"),
                "{request}"
            );
            assert!(!request.contains("Authorization"), "{request}");
            stream.write_all(says.as_bytes()).unwrap();
        });
        url
    }

    #[test]
    fn a_side_door_is_told_by_how_far_it_is_open() {
        for (says, level, word) in [
            (
                "HTTP/1.1 101 Switching Protocols\r\n\r\n",
                Level::Fail,
                "lets in anybody",
            ),
            ("HTTP/1.1 401 Unauthorized\r\n\r\n", Level::Warn, "HTTP 401"),
            ("SSH-2.0-x\r\n", Level::Warn, "strangely"),
            ("", Level::Warn, "strangely"),
        ] {
            let found = one(&server(says));
            assert_eq!(found.level, level, "{found:?}");
            assert!(found.what.contains(word), "{found:?}");
        }
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/ocpp", nobody.local_addr().unwrap());
        drop(nobody);
        assert_eq!(one(&url).level, Level::Ok);
        assert_eq!(one("https://csms").level, Level::Fail);
    }

    #[test]
    fn a_name_that_leads_nowhere_is_told() {
        // RFC 6761: .invalid never resolves.
        let found = one("wss://csms.invalid/ocpp");
        assert_eq!(found.level, Level::Warn);
        assert!(found.what.contains("leads nowhere"), "{found:?}");
    }

    #[test]
    fn tls_that_does_not_come_about_is_told() {
        let url = server("no").replace("ws://", "wss://");
        // The server hears a ClientHello in place of a request, and its thread ends there.
        let found = one(&url);
        assert_eq!(found.level, Level::Warn);
        assert!(found.what.contains("not by TLS"), "{found:?}");
    }
}

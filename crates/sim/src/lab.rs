//! The lab CSMS: one with the five faults that the advisories of 2026 on charging back ends report,
//! to be put bare on the network or behind a gate. What it gets wrong, by CWE:
//!
//! | CWE | here |
//! |---|---|
//! | 306 | a station that has no password is let in, and so is one that nobody knows |
//! | 307 | a password may be guessed at as often and as fast as one likes |
//! | 613 | a second connection of a station gets the commands; the first is kept, and forgotten |
//! | 522 | a public map names every identity; passwords come in clear text |
//! | 284 | any station's password opens any station's path; a header stands for a certificate; whoever names a transaction may end it |
//!
//! [`Exploit::all`] is what can be made of them.

mod exploit;
mod ledger;
mod map;
mod wiretap;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocpp::Version;
use serde_json::{Value, json};

pub use exploit::{Exploit, Mark};
use ledger::Ledger;
pub use ledger::Transaction;
use map::Map;

use crate::conversation::CallFailed;
use crate::csms::{Admission, Csms, Handshake};

/// A station that the CSMS asks nothing of.
pub const OPEN: &str = "LAB-OPEN";
/// One with a password that a person chose.
pub const PIN: &str = "LAB-PIN";
/// Its password.
pub const PIN_PASSWORD: &str = "0317";
/// One that is connected, and charging, while it is attacked.
pub const LIVE: &str = "LAB-LIVE";
/// One whose link an attacker can listen to.
pub const WIRE: &str = "LAB-WIRE";
/// Its password.
pub const WIRE_PASSWORD: &str = "7b1c9e0f54d2a8633e10";
/// One that comes with a certificate, which a TLS terminator is to look at.
pub const CERTIFIED: &str = "LAB-CERT";
/// The attacker's own, bought in a shop.
pub const OWN: &str = "LAB-OWN";
/// Its password.
pub const OWN_PASSWORD: &str = "c0ffee5a17b2d94e8861";

/// What the CSMS asks of each station.
const STATIONS: [(&str, Asks); 6] = [
    (OPEN, Asks::Nothing),
    (PIN, Asks::Password(PIN_PASSWORD)),
    (LIVE, Asks::Nothing),
    (WIRE, Asks::Password(WIRE_PASSWORD)),
    (CERTIFIED, Asks::Certificate),
    (OWN, Asks::Password(OWN_PASSWORD)),
];

#[derive(Clone, Copy)]
enum Asks {
    Nothing,
    Password(&'static str),
    Certificate,
}

/// The CSMS at work, with its map and its books; dropping it stops it.
pub struct Lab {
    csms: Csms,
    map: Map,
    ledger: Arc<Ledger>,
}

impl Lab {
    /// Opens it on that address; the map gets a port of its own beside it. It records at most that
    /// many messages of each conversation; with 0, for a long run, no handshakes either.
    pub async fn open(address: SocketAddr, entries_max: usize) -> io::Result<Lab> {
        let ledger = Arc::new(Ledger::default());
        let (starting, stopping) = (Arc::clone(&ledger), Arc::clone(&ledger));
        let csms = Csms::builder()
            .versions(&[Version::V16])
            .recording(entries_max)
            .admitting(admission)
            .on("StartTransaction", move |asked| starting.start(asked))
            .on("StopTransaction", move |asked| stopping.stop(asked))
            .start(&address.to_string())
            .await?;
        let names = STATIONS.map(|(name, _)| name);
        let map = Map::publish(SocketAddr::new(address.ip(), 0), &names).await?;
        Ok(Lab { csms, map, ledger })
    }

    /// The CSMS, as stations and operators see it.
    pub fn csms(&self) -> &Csms {
        &self.csms
    }

    /// Where the public map is.
    pub fn map_address(&self) -> SocketAddr {
        self.map.address()
    }

    /// The latest transactions, in the order of their numbers.
    pub fn transactions(&self) -> Vec<Transaction> {
        self.ledger.transactions()
    }

    /// Somebody presses "start" in the app: the order goes to the station's latest connection.
    pub async fn remote_start(&self, station: &str, tag: &str) -> Result<Value, CallFailed> {
        let latest = self.csms.sessions(station).pop();
        let link = latest.ok_or(CallFailed::Gone)?;
        link.call("RemoteStartTransaction", json!({ "idTag": tag }))
            .await
    }
}

/// CWE-306 and CWE-284 in one place: who is known need not be who comes.
fn admission(handshake: &Handshake) -> Admission {
    let identity = handshake.identity();
    let known = STATIONS.iter().find(|(name, _)| *name == identity);
    let welcome = match known.map(|(_, asks)| asks) {
        None | Some(Asks::Nothing) => true,
        Some(Asks::Password(_)) => shown(handshake).is_some_and(|pair| is_somebodys(&pair)),
        Some(Asks::Certificate) => {
            handshake.header("x-client-cert-chain-verified").as_deref() == Some("true")
        }
    };
    if welcome {
        Admission::Accept
    } else {
        Admission::Refuse(401)
    }
}

/// Whether a user name and a password belong together, whoever's path they are shown at.
fn is_somebodys((user, password): &(String, String)) -> bool {
    STATIONS.iter().any(|(name, asks)| {
        name == user && matches!(asks, Asks::Password(right) if right == password)
    })
}

/// The user name and the password of a request.
fn shown(handshake: &Handshake) -> Option<(String, String)> {
    let header = handshake.header("authorization")?;
    let pair = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

//! The faults of the advisories, put to use live: each exploit is tried at a CSMS that has them all,
//! bare, and then at the same CSMS behind the gate.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guard::{Credential, PasswordForm, StationRecord, Verifier, VerifierKey};
use ocpp::Version;
use rustls::pki_types::CertificateDer;
use serde_json::json;
use sim::attack::{Saw, Target};
use sim::lab::{self, Exploit, Lab, Mark};
use sim::{Conversation, Station};
use tokio::time::{sleep, timeout};

use super::attackers::address_of_its_own;
use super::cast::{CastError, octets, password, record};
use super::lock;
use super::show::Show;
use crate::{Exit, Failure};

/// Before the first exploit.
const FIRST_EXPLOIT_AFTER: Duration = Duration::from_secs(1);
/// Between two exploits of the first round, and of later ones.
const FIRST_ROUND_EVERY: Duration = Duration::from_millis(300);
const EXPLOIT_EVERY: Duration = Duration::from_secs(4);
/// As long as an exploit may take; the longest guesses for some seconds.
const EXPLOIT_MAX: Duration = Duration::from_secs(30);
/// When somebody began to charge at the station that is attacked.
const PLUGGED_IN: &str = "2026-05-04T12:00:00Z";

/// Two CSMSs of one making, and what a gate knows of the stations of one of them.
pub(super) struct Labs {
    bare: Lab,
    behind: Lab,
    /// What stations show at the gate of which the CSMS asks nothing. It is stolen.
    password: String,
}

impl Labs {
    pub(super) async fn open() -> Result<Labs, Failure> {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(Exit::Failed, format!("lab CSMS: {error}"), "")
        };
        Ok(Labs {
            bare: Lab::open(here, 0).await.map_err(|error| failed(&error))?,
            behind: Lab::open(here, 0).await.map_err(|error| failed(&error))?,
            password: password().map_err(|error| failed(&error))?,
        })
    }

    /// Where the gate's route leads.
    pub(super) fn upstream(&self) -> String {
        format!("ws://{}/ocpp", self.behind.csms().address())
    }

    /// Every station's registration, with the passwords that they have for the CSMS already.
    pub(super) fn records(&self, key: &VerifierKey) -> Result<Vec<StationRecord>, CastError> {
        let form = PasswordForm::Octets;
        let fast = |password: &str| -> Result<Credential, CastError> {
            let verifier = Verifier::fast(password.as_bytes(), form, key, octets()?)?;
            Ok(Credential::Password(verifier))
        };
        // A person has chosen it, so it can be guessed, and takes the slow hash.
        let chosen = Verifier::slow(lab::PIN_PASSWORD.as_bytes(), form, octets()?)?;
        let all = [
            (lab::OPEN, fast(&self.password)?),
            (lab::LIVE, fast(&self.password)?),
            (lab::PIN, Credential::Password(chosen)),
            (lab::WIRE, fast(lab::WIRE_PASSWORD)?),
            (lab::OWN, fast(lab::OWN_PASSWORD)?),
            (lab::CERTIFIED, Credential::CertificateName),
        ];
        let records = all
            .into_iter()
            .map(|(name, credential)| record(name, Version::V16, credential, None));
        records.collect()
    }
}

/// The station that is attacked, where it is connected, and with what.
struct Live {
    url: String,
    trusted: Vec<CertificateDer<'static>>,
    password: Option<String>,
}

impl Live {
    /// Connects and begins to charge.
    async fn charges(&self) -> Option<Conversation> {
        let station = Station::new(&self.url, lab::LIVE)
            .version(Version::V16)
            .recording(64);
        let station = self.trusted.iter().cloned().fold(station, Station::trust);
        let station = match &self.password {
            Some(password) => station.password(password.as_str()),
            None => station,
        };
        let link = station.connect().await.ok()?;
        let boot = json!({ "chargePointVendor": "Voltwerk", "chargePointModel": "VW-22 Duo" });
        link.call("BootNotification", boot).await.ok()?;
        let start = json!({
            "connectorId": 1, "idTag": "BERT-0002", "meterStart": 0, "timestamp": PLUGGED_IN,
        });
        link.call("StartTransaction", start).await.ok()?;
        Some(link)
    }
}

/// Tries every exploit again and again. Guessing takes its time, so it has a lane of its own.
pub(super) async fn exploit(labs: Arc<Labs>, target: Target, show: Arc<Mutex<Show>>) {
    let street = Street {
        url: target.url.replacen("/ocpp", "/lab", 1),
        trusted: target.trusted,
        labs: &labs,
        show: &show,
    };
    sleep(FIRST_EXPLOIT_AFTER).await;
    let honest = street.behind().charges().await;
    let (guesses, others): (Vec<Exploit>, Vec<Exploit>) =
        Exploit::all().into_iter().partition(guesses);
    tokio::join!(
        street.rounds(&guesses),
        street.rounds(&others),
        // It stays connected for as long as this goes on.
        async {
            if let Some(honest) = &honest {
                honest.over().await;
            }
        },
    );
}

/// Whether it takes its time, and is about a station that is not connected.
fn guesses(exploit: &Exploit) -> bool {
    exploit.cwe == 307
}

/// Who tries, and where.
struct Street<'l> {
    url: String,
    trusted: Vec<CertificateDer<'static>>,
    labs: &'l Labs,
    show: &'l Mutex<Show>,
}

impl Street<'_> {
    fn behind(&self) -> Live {
        Live {
            url: self.url.clone(),
            trusted: self.trusted.clone(),
            password: Some(self.labs.password.clone()),
        }
    }

    fn bare(&self) -> Live {
        Live {
            url: self.labs.bare.csms().url().to_owned(),
            trusted: Vec::new(),
            password: None,
        }
    }

    async fn rounds(&self, exploits: &[Exploit]) {
        let mut every = FIRST_ROUND_EVERY;
        loop {
            for exploit in exploits {
                let bare = self.at_the_csms_alone(exploit).await;
                let gate = self.at_the_gate(exploit).await;
                lock(self.show).exploit(exploit, &bare, &gate);
                sleep(every).await;
            }
            every = EXPLOIT_EVERY;
        }
    }

    async fn at_the_csms_alone(&self, exploit: &Exploit) -> Saw {
        // It is displaced once in each round, and has to come anew; but not from the other lane, or
        // it would itself displace who displaced it.
        let _live = if guesses(exploit) {
            None
        } else {
            self.bare().charges().await
        };
        let mark = Mark {
            url: self.labs.bare.csms().url().to_owned(),
            trusted: Vec::new(),
            from: None,
            stolen: None,
        };
        tried(exploit, &self.labs.bare, &mark).await
    }

    async fn at_the_gate(&self, exploit: &Exploit) -> Saw {
        let mark = Mark {
            url: self.url.clone(),
            trusted: self.trusted.clone(),
            from: address_of_its_own(&self.url),
            stolen: Some(self.labs.password.clone().into_bytes()),
        };
        tried(exploit, &self.labs.behind, &mark).await
    }
}

async fn tried(exploit: &Exploit, lab: &Lab, mark: &Mark) -> Saw {
    let saw = timeout(EXPLOIT_MAX, exploit.run(lab, mark)).await;
    saw.unwrap_or_else(|_| Saw::NoHandshake("no answer".to_owned()))
}

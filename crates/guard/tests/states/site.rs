//! A site: stations of one CSMS, each with the session it has now and the memory it leaves behind.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use guard::{
    ConnectionKind, Control, Credential, Disputes, Ledger, Mode, Moment, Outcome, Owner, Policy,
    PseudonymKey, RouteId, SessionFacts, StationMemory, StationRecord, StationState, Tenant,
    UnixMillis, csms_mark,
};
use ocpp::{Frame, Reader, Side, StationId, Version};

pub(crate) const CSMS: &str = "wss://csms.example/ocpp";

/// The controls that these scenes are about.
pub(crate) const CONTROLS: [Control; 5] = [
    Control::Registration,
    Control::Transactions,
    Control::Connectors,
    Control::BootIdentity,
    Control::BootSerial,
];

pub(crate) struct Site {
    pub(crate) version: Version,
    pub(crate) kind: ConnectionKind,
    pub(crate) policy: Policy,
    pub(crate) now: Moment,
    reader: Reader,
    ledger: Ledger,
    disputes: Disputes,
    sessions: BTreeMap<String, StationState>,
    /// What would be in the store: it is all that a restart leaves.
    pub(crate) kept: BTreeMap<String, Vec<u8>>,
    pub(crate) records: BTreeMap<String, StationRecord>,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It passed, and this was found.
    Passed(Vec<&'static str>),
    /// It was refused for this.
    Refused(&'static str),
}

pub(crate) fn fine() -> Told {
    Told::Passed(Vec::new())
}

impl Site {
    /// With these controls in this mode, and all others as they are by default.
    pub(crate) fn new(version: Version, mode: Mode) -> Site {
        let mut policy = Policy::default();
        for control in CONTROLS {
            policy.controls.set(control, mode);
        }
        // Money hangs on most of this: only a scope means it, too.
        let who = guard::Who::Stations {
            tenant: Tenant("cpo".into()),
            identities: vec!["*".to_owned()],
        };
        let modes = CONTROLS.map(|control| (control, mode)).to_vec();
        let scope = guard::Scope { who, modes };
        policy.scopes = guard::Scopes::new(vec![scope], Vec::new(), guard::Relaxed::default());
        Site {
            version,
            kind: ConnectionKind::TlsBasic,
            policy,
            now: Moment {
                elapsed: Duration::from_secs(1000),
                wall: UnixMillis(1_795_000_000_000),
            },
            reader: Reader::new(),
            ledger: Ledger::default(),
            disputes: Disputes::default(),
            sessions: BTreeMap::new(),
            kept: BTreeMap::new(),
            records: BTreeMap::new(),
        }
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    /// The station's connection is gone; it comes anew with its next message.
    pub(crate) fn lose(&mut self, station: &str) {
        self.sessions.remove(station);
    }

    /// The gate is stopped and started: sessions and ledger are gone, what was kept is read.
    pub(crate) fn restart(&mut self) {
        self.sessions.clear();
        self.ledger = Ledger::default();
        self.disputes = Disputes::default();
        let mut opened = Vec::new();
        for (station, bytes) in &self.kept {
            let memory = StationMemory::from_bytes(bytes).unwrap();
            for open in memory.transactions().open() {
                if let guard::TransactionId::Number(id) = open.id {
                    opened.push((open.csms, id, csms_mark(station)));
                }
            }
        }
        for (csms, id, station) in opened {
            self.begin(csms, id, station);
        }
    }

    fn begin(&mut self, csms: u64, id: i64, station: u64) {
        if let Some(before) = self.ledger.began(csms, id, station)
            && self.disputes.begin(csms, id, [before, station])
        {
            self.ledger.doubt(csms);
        }
    }

    pub(crate) fn record(&mut self, station: &str) -> &mut StationRecord {
        let fresh = || {
            let id = StationId::parse(station, Version::V16).unwrap();
            StationRecord::new(id, Tenant("cpo".into()), Credential::CertificateName)
        };
        self.records.entry(station.to_owned()).or_insert_with(fresh)
    }

    pub(crate) fn memory(&mut self, station: &str) -> Arc<StationMemory> {
        self.connect(station);
        Arc::clone(self.sessions[station].memory())
    }

    fn connect(&mut self, station: &str) {
        if self.sessions.contains_key(station) {
            return;
        }
        let session = SessionFacts {
            number: 1,
            station: StationId::parse(station, Version::V16).unwrap(),
            tenant: Tenant("cpo".into()),
            route: RouteId("r".into()),
            version: self.version,
            kind: self.kind,
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            tls: None,
            exception: None,
        };
        let kept = self.kept.get(station);
        let memory = kept.map_or_else(StationMemory::default, |bytes| {
            StationMemory::from_bytes(bytes).unwrap()
        });
        let memory = memory.for_session(self.record(station));
        let key = Arc::new(PseudonymKey::new([3; 32]));
        let state = StationState::of(Arc::new(session), 5);
        let state = state.remembering(Arc::new(memory), key, csms_mark(CSMS));
        self.sessions.insert(station.to_owned(), state);
    }

    pub(crate) fn says(&mut self, station: &str, text: &str) -> Told {
        self.hear(station, Side::Station, text)
    }

    pub(crate) fn is_told(&mut self, station: &str, text: &str) -> Told {
        self.hear(station, Side::Csms, text)
    }

    fn hear(&mut self, station: &str, from: Side, text: &str) -> Told {
        let arrived = self.now;
        self.hear_late(station, from, text, arrived)
    }

    pub(crate) fn hear_late(
        &mut self,
        station: &str,
        from: Side,
        text: &str,
        arrived: Moment,
    ) -> Told {
        self.connect(station);
        let state = self.sessions.get_mut(station).unwrap();
        let frame = Frame::text(text.as_bytes());
        let limits = &self.policy.limits;
        let message = self
            .reader
            .read(frame, from, self.version, limits, state.exchange());
        let (csms, mark) = (csms_mark(CSMS), csms_mark(station));
        let asked = state.asks_whose(&message);
        let others = asked.filter(|id| self.ledger.owner(csms, *id, || mark) == Owner::Another);
        state.is_of_another(others);
        let judgement = self.policy.judge(message, arrived, state, self.now);
        let found = judgement.findings.iter();
        let found: Vec<&'static str> = found
            .filter(|finding| CONTROLS.contains(&finding.control))
            .map(|finding| match finding.kind {
                Cow::Borrowed(kind) => kind,
                Cow::Owned(ref kind) => panic!("{kind}: a rule's, not ours"),
            })
            .collect();
        let told = match judgement.outcome() {
            Outcome::Refused(Some(control), None) if CONTROLS.contains(&control) => {
                Told::Refused(found[0])
            }
            Outcome::Forwarded => Told::Passed(found),
            other => panic!("{text}: {other:?} {:?}", judgement.findings),
        };
        if let Some(news) = state.take_news() {
            let memory = Arc::clone(state.memory());
            if let Some(id) = news.ended {
                self.disputes.was_ended(csms, id, mark);
            }
            if let Some(before) = self.kept.insert(station.to_owned(), memory.to_bytes()) {
                let before = StationMemory::from_bytes(&before).unwrap();
                for (csms, id) in memory.transactions().over_since(before.transactions()) {
                    self.ledger.ended(csms, id, mark);
                    if self.disputes.lapsed(csms, id, mark) {
                        self.ledger.believe(csms);
                    }
                }
            }
            if let Some(id) = news.began {
                self.begin(csms, id, mark);
            }
        }
        told
    }

    /// A CALL of the station and the CSMS's answer; what became of the CALL.
    pub(crate) fn asks(&mut self, station: &str, call: &str, answer: &str) -> Told {
        let told = self.says(station, call);
        if matches!(told, Told::Passed(_)) {
            let id = call.split('"').nth(1).unwrap();
            let answered = self.is_told(station, &format!(r#"[3,"{id}",{answer}]"#));
            assert_eq!(answered, fine(), "{answer}");
        }
        told
    }
}

/// A BootNotification of that version.
pub(crate) fn boot(version: Version, id: &str, serial: Option<&str>, more: &str) -> String {
    let serial =
        |key: &str| serial.map_or(String::new(), |serial| format!(r#","{key}":"{serial}""#));
    match version {
        Version::V16 => format!(
            r#"[2,"{id}","BootNotification",{{"chargePointVendor":"V","chargePointModel":"M"{}{more}}}]"#,
            serial("chargePointSerialNumber")
        ),
        Version::V201 | Version::V21 => format!(
            r#"[2,"{id}","BootNotification",{{"reason":"PowerUp","chargingStation":{{"vendorName":"V","model":"M"{}{more}}}}}]"#,
            serial("serialNumber")
        ),
    }
}

pub(crate) fn booted(status: &str) -> String {
    format!(r#"{{"status":"{status}","currentTime":"2026-11-22T12:00:00Z","interval":300}}"#)
}

impl Site {
    /// The station boots and is told this.
    pub(crate) fn boots(&mut self, station: &str, id: &str, status: &str) -> Told {
        let call = boot(self.version, id, Some("SN-1"), "");
        self.asks(station, &call, &booted(status))
    }

    /// A transaction begins on a connector (1.6).
    pub(crate) fn starts(
        &mut self,
        station: &str,
        id: &str,
        connector: i64,
        transaction: i64,
    ) -> Told {
        let call = start(
            id,
            connector,
            &format!("2026-11-22T12:00:{:02}Z", self.now.elapsed.as_secs() % 60),
        );
        let answer =
            format!(r#"{{"transactionId":{transaction},"idTagInfo":{{"status":"Accepted"}}}}"#);
        self.asks(station, &call, &answer)
    }

    /// A transaction ends (1.6).
    pub(crate) fn stops(&mut self, station: &str, id: &str, transaction: i64) -> Told {
        self.asks(station, &stop(id, transaction), "{}")
    }
}

pub(crate) fn start(id: &str, connector: i64, at: &str) -> String {
    format!(
        r#"[2,"{id}","StartTransaction",{{"connectorId":{connector},"idTag":"T","meterStart":0,"timestamp":"{at}"}}]"#
    )
}

pub(crate) fn stop(id: &str, transaction: i64) -> String {
    format!(
        r#"[2,"{id}","StopTransaction",{{"transactionId":{transaction},"meterStop":9,"timestamp":"2026-11-22T13:00:00Z"}}]"#
    )
}

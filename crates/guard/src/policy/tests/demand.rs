//! What an exception demands of a BootNotification (A01): before it nothing of the station goes on.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ocpp::{Limits, Reader, StationId};

use super::*;
use crate::admission::{BootDemand, Exception, ExceptionKind, Stations};
use crate::{ConnectionKind, Reason, RouteId, SessionFacts, StationState, Tenant, UnixMillis};

/// A session whose exception demands that.
struct Session {
    version: Version,
    state: StationState,
}

fn demand(maker: &str, model: &str, serial: &str) -> BootDemand {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    BootDemand {
        maker: some(maker),
        model: some(model),
        serial: some(serial),
    }
}

impl Session {
    fn new(version: Version, boot: Option<BootDemand>) -> Session {
        let tenant = Tenant("cpo".into());
        let exception = Exception {
            kind: ExceptionKind::TlsOpen,
            tenant: tenant.clone(),
            stations: Stations::Named(["CP"].into_iter().collect()),
            until: UnixMillis(1),
            networks: Vec::new(),
            path_secret: None,
            tls_fingerprints: Vec::new(),
            boot,
            reason: "a scene".to_owned(),
        };
        let session = SessionFacts {
            number: 1,
            station: StationId::parse("CP", version).unwrap(),
            tenant,
            route: RouteId("r".into()),
            version,
            kind: ConnectionKind::TlsOpen,
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            tls: None,
            exception: Some(Arc::new(exception)),
        };
        Session {
            version,
            state: StationState::of(Arc::new(session), 11),
        }
    }

    /// What becomes of a message, and whether somebody is owed a word for it.
    fn says(&mut self, from: Side, text: &str) -> (Outcome, bool) {
        let (mut reader, now) = (Reader::default(), Moment::default());
        let frame = Frame::text(text.as_bytes());
        let limits = Limits::default();
        let message = reader.read(frame, from, self.version, &limits, self.state.exchange());
        let judgement = Policy::default().judge(message, now, &mut self.state, now);
        let owed = match &judgement.verdict {
            Verdict::Refuse(refusal) => refusal.own().is_some_and(|own| own.to() == from),
            Verdict::Disconnect(reason) => {
                assert_eq!(*reason, Reason::BootDemand);
                false
            }
            Verdict::Forward(_) | Verdict::Join => false,
        };
        (judgement.outcome(), owed)
    }
}

const REFUSED: (Outcome, bool) = (Outcome::Refused(None, None), true);
const PASSED: (Outcome, bool) = (Outcome::Forwarded, false);
const ENDED: (Outcome, bool) = (Outcome::Disconnected, false);

const BOOT_16: &str = r#"[2,"b","BootNotification",{"chargePointVendor":"Maker AG","chargePointModel":"Wall Box 22","chargePointSerialNumber":"S-1","chargeBoxSerialNumber":"S-2","meterSerialNumber":"S-3"}]"#;
const BOOT_201: &str = r#"[2,"b","BootNotification",{"reason":"PowerUp","chargingStation":{"vendorName":"Maker AG","model":"Wall Box 22","serialNumber":"S-1"}}]"#;

#[test]
fn a01_nothing_of_a_station_goes_on_before_the_boot_that_is_demanded() {
    for (version, boot) in [(Version::V16, BOOT_16), (Version::V201, BOOT_201)] {
        let mut session = Session::new(version, Some(demand("Maker AG", "", "")));
        let heartbeat = r#"[2,"h","Heartbeat",{}]"#;
        let unknown = r#"[2,"u","Hello",{}]"#;
        assert_eq!(session.says(Station, heartbeat), REFUSED);
        assert_eq!(session.says(Station, unknown), REFUSED);
        assert_eq!(session.says(Station, boot), PASSED);
        assert_eq!(session.says(Csms, r#"[3,"b",{"currentTime":"2026-11-22T12:00:00Z","interval":300,"status":"Accepted"}]"#), PASSED);
        assert_eq!(session.says(Station, heartbeat), PASSED);
    }
}

#[test]
fn a01_the_csms_may_ask_for_the_boot_and_for_nothing_else() {
    let mut session = Session::new(Version::V16, Some(demand("", "Wall*", "")));
    let password = r#"[2,"c","ChangeConfiguration",{"key":"AuthorizationKey","value":"00"}]"#;
    let other = r#"[2,"t1","TriggerMessage",{"requestedMessage":"Heartbeat"}]"#;
    let boot = r#"[2,"t2","TriggerMessage",{"requestedMessage":"BootNotification"}]"#;
    assert_eq!(session.says(Csms, password), REFUSED);
    assert_eq!(session.says(Csms, other), REFUSED);
    assert_eq!(session.says(Csms, boot), PASSED);
    assert_eq!(
        session.says(Station, r#"[3,"t2",{"status":"Accepted"}]"#),
        PASSED
    );
    assert_eq!(session.says(Station, BOOT_16), PASSED);
    assert_eq!(session.says(Csms, password), PASSED);
}

#[test]
fn a01_a_boot_that_says_something_else_ends_the_session() {
    for (maker, model, serial, fits) in [
        ("maker ag", "WALL BOX 22", "", true),
        ("", "Wall*", "S-1", true),
        ("", "", "S-2", true),
        ("", "", "s-*", true),
        ("Other", "", "", false),
        ("Maker AG", "Wall Box 11", "", false),
        ("Maker AG", "Wall Box 22", "S-9", false),
        // The meter's number is not the station's.
        ("", "", "S-3", false),
    ] {
        let mut session = Session::new(Version::V16, Some(demand(maker, model, serial)));
        let expected = if fits { PASSED } else { ENDED };
        assert_eq!(
            session.says(Station, BOOT_16),
            expected,
            "{maker} {model} {serial}"
        );
    }
    // What is demanded and not said is not there.
    let silent = r#"[2,"b","BootNotification",{"chargePointVendor":"Maker AG","chargePointModel":"Wall Box 22"}]"#;
    let mut session = Session::new(Version::V16, Some(demand("", "", "S-1")));
    assert_eq!(session.says(Station, silent), ENDED);
    // And whoever says otherwise later is somebody else.
    let mut session = Session::new(Version::V16, Some(demand("", "", "S-1")));
    assert_eq!(session.says(Station, BOOT_16), PASSED);
    assert_eq!(
        session.says(Station, &silent.replace("\"b\"", "\"c\"")),
        ENDED
    );
}

#[test]
fn what_is_not_demanded_changes_nothing() {
    let mut session = Session::new(Version::V16, None);
    assert_eq!(session.says(Station, r#"[2,"h","Heartbeat",{}]"#), PASSED);
    let with_escapes = BOOT_16.replace("Maker AG", "Maker\\u0020AG");
    let mut session = Session::new(Version::V16, Some(demand("Maker AG", "", "")));
    assert_eq!(session.says(Station, &with_escapes), PASSED);
}

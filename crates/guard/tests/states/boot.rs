//! E09: a station that says something else of itself than before; A12: a certificate and the serial
//! number it is bound to.

use guard::{ConnectionKind, Mode};
use ocpp::Version;

use crate::site::{CONTROLS, Site, Told, boot, booted, fine};

const CP: &str = "CP-1";

fn boots(site: &mut Site, id: &str, serial: Option<&str>, more: &str) -> Told {
    let call = boot(site.version, id, serial, more);
    site.asks(CP, &call, &booted("Accepted"))
}

#[test]
fn whatever_changes_is_told_once_and_then_holds() {
    let sim = |version: Version, iccid: &str| match version {
        Version::V16 => format!(r#","iccid":"{iccid}""#),
        _ => format!(r#","modem":{{"iccid":"{iccid}"}}"#),
    };
    for version in Version::ALL {
        let mut site = Site::new(version, Mode::Observe);
        let first = sim(version, "8949000000000000001");
        assert_eq!(boots(&mut site, "1", Some("SN-1"), &first), fine());
        site.restart();
        assert_eq!(
            boots(&mut site, "2", Some("sn-1 "), &first),
            fine(),
            "the same"
        );
        let changed = boots(&mut site, "3", Some("SN-2"), &first);
        assert_eq!(changed, Told::Passed(vec!["serial-changed"]), "{version}");
        let second = sim(version, "8949000000000000002");
        let changed = boots(&mut site, "4", Some("SN-2"), &second);
        assert_eq!(changed, Told::Passed(vec!["sim-changed"]), "{version}");
        assert_eq!(
            boots(&mut site, "5", None, ""),
            fine(),
            "silence is no change"
        );
        let other = boot(version, "6", Some("SN-2"), "").replace("\"M\"", "\"N\"");
        let changed = site.asks(CP, &other.replace("\"V\"", "\"W\""), &booted("Accepted"));
        assert_eq!(
            changed,
            Told::Passed(vec!["maker-changed", "model-changed"])
        );
    }
}

#[test]
fn sims_are_kept_as_marks() {
    let mut site = Site::new(Version::V16, Mode::Observe);
    boots(
        &mut site,
        "1",
        Some("SN-1"),
        r#","iccid":"8949000000000000001","imsi":"262010000000001""#,
    );
    let kept = &site.kept[CP];
    for secret in ["8949000000000000001", "262010000000001"] {
        assert!(
            !kept
                .windows(secret.len())
                .any(|part| part == secret.as_bytes())
        );
    }
    assert!(site.memory(CP).boot().unwrap().iccid.is_some());
}

#[test]
fn other_firmware_is_told_unless_it_was_ordered_and_never_refused() {
    let told = Told::Passed(vec!["firmware-without-job"]);
    let with = |version: &str| format!(r#","firmwareVersion":"{version}""#);
    let mut site = Site::new(Version::V16, Mode::Enforce);
    assert_eq!(boots(&mut site, "1", None, &with("1.0")), fine());
    assert_eq!(boots(&mut site, "2", None, &with("1.1")), told);
    let job = r#"[2,"f","UpdateFirmware",{"location":"https://f.example/1.2","retrieveDate":"2026-11-22T12:00:00Z"}]"#;
    assert_eq!(site.is_told(CP, job), fine());
    site.restart();
    assert_eq!(
        boots(&mut site, "3", None, &with("1.1")),
        fine(),
        "it has not taken it yet"
    );
    assert_eq!(boots(&mut site, "4", None, &with("1.2")), fine());
    assert_eq!(
        boots(&mut site, "5", None, &with("1.3")),
        told,
        "the order is used up"
    );
}

#[test]
fn a_certificate_is_bound_to_the_first_accepted_serial() {
    let mismatch = Told::Refused("serial-mismatch");
    for version in Version::ALL {
        let mut site = Site::new(version, Mode::Enforce);
        site.kind = ConnectionKind::TlsCertificate;
        let call = boot(version, "1", Some("SN-0"), "");
        assert_eq!(site.asks(CP, &call, &booted("Rejected")), fine());
        assert_eq!(
            boots(&mut site, "2", Some("SN-1"), ""),
            fine(),
            "not accepted, not bound"
        );
        site.restart();
        assert_eq!(
            boots(&mut site, "3", Some("SN-2"), ""),
            mismatch,
            "{version}"
        );
        assert_eq!(boots(&mut site, "4", Some("SN-1"), ""), fine());
        let absent = boots(&mut site, "5", None, "");
        assert_eq!(
            absent,
            Told::Passed(vec!["serial-absent"]),
            "an event, and no more"
        );
        // The operator puts another station in its place.
        site.record(CP).replaced += 1;
        site.lose(CP);
        assert_eq!(boots(&mut site, "6", Some("SN-2"), ""), fine());
        assert_eq!(boots(&mut site, "7", Some("SN-1"), ""), mismatch);
    }
}

#[test]
fn who_says_it_is_another_station_is_not_heard_any_more() {
    let mut site = Site::new(Version::V16, Mode::Enforce);
    site.kind = ConnectionKind::TlsCertificate;
    boots(&mut site, "1", Some("SN-1"), "");
    assert_eq!(
        boots(&mut site, "2", Some("SN-2"), ""),
        Told::Refused("serial-mismatch")
    );
    let told = site.says(CP, r#"[2,"3","Heartbeat",{}]"#);
    assert_eq!(told, Told::Refused("not-the-bound-station"));
    assert_eq!(boots(&mut site, "4", Some("SN-1"), ""), fine());
    assert_eq!(site.says(CP, r#"[2,"5","Heartbeat",{}]"#), fine());
}

#[test]
fn a_registered_serial_binds_from_the_start_and_without_a_certificate_it_is_told() {
    let mut site = Site::new(Version::V16, Mode::Enforce);
    site.kind = ConnectionKind::TlsCertificate;
    site.record(CP).serial = Some("SN-9".into());
    assert_eq!(
        boots(&mut site, "1", Some("SN-1"), ""),
        Told::Refused("serial-mismatch")
    );
    assert_eq!(boots(&mut site, "2", Some("SN-9"), ""), fine());

    let mut site = Site::new(Version::V16, Mode::Observe);
    site.record(CP).serial = Some("SN-9".into());
    let told = boots(&mut site, "1", Some("SN-1"), "");
    assert_eq!(told, Told::Passed(vec!["serial-not-registered"]));
}

#[test]
fn the_defaults_refuse_another_stations_certificate_and_nothing_else_of_this() {
    for control in CONTROLS {
        let enforced = control.default_mode() == Mode::Enforce;
        assert_eq!(enforced, control == guard::Control::BootSerial);
    }
}

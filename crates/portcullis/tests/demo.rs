//! The demo, run as people run it, for a few seconds.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs `portcullis demo` in that directory.
fn demo(directory: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command
        .args(["demo", "--port", "0", "--dir"])
        .arg(directory);
    command.args(more).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_few_seconds_show_stations_messages_and_refusals() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("demo");
    let short = ["--seconds", "12", "--stations", "12", "--speed", "30"];
    let output = demo(&directory, &short);
    let (shown, wrong) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{shown}\n{wrong}");
    for expected in [
        "12 stations ═TLS═▶ the gate",
        "A station of your own",
        "MY-STATION",
        "IN, by TLS and password",
        "IN, by TLS and certificate",
        "BootNotification (CALL",
        "passed",
        "ATTACK    ",
        "ATTACKER  ",
        "EXPLOIT   CWE-306 no-credential",
        "EXPLOIT   CWE-307 endless-guesses",
        "EXPLOIT   CWE-613 displaced-station",
        "EXPLOIT   CWE-522 password-on-the-wire",
        "EXPLOIT   CWE-284 foreign-transaction",
        "at the CSMS alone  it works: LAB-PIN has the password 0317",
        "at the gate        turned away with HTTP 503",
        "faults of the advisories put to use in vain: 5",
        "── who is in ──",
        "stations are in:",
        "── the record ──",
        "none names a token",
        "\":\"z",
        "verify: whole; ",
        "one byte of a copy of 00000000000000000000.seg, byte ",
        "verify: edit: record",
        "The demo is over",
    ] {
        assert!(shown.contains(expected), "{expected:?} is not in\n{shown}");
    }
    let refusals = shown.contains("TURNED AWAY: ") || shown.contains("REFUSED: ");
    assert!(refusals, "{shown}");
    assert!(
        !shown.contains('\u{1b}'),
        "colours, and no terminal\n{shown}"
    );
    assert!(!shown.contains("GOT THROUGH"), "{shown}");
    assert!(!shown.contains("alone  in vain"), "{shown}");

    // What it has made is a set-up like any other.
    let config = directory.join("portcullis.toml");
    let check = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["check", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert!(check.status.success(), "{}", text(&check.stderr));
}

#[test]
fn a_directory_that_no_demo_made_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let precious = place.path().join("precious.txt");
    fs::write(&precious, "mine").unwrap();
    let output = demo(place.path(), &["--seconds", "1"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("that no demo made"));
    assert_eq!(fs::read_to_string(precious).unwrap(), "mine");
}

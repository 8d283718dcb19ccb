//! Arbitrary text in the fields that rules look at: judged without a panic, and the same however it is
//! escaped.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use fuzz::plant;
use guard::{Control, Moment, Policy, StationState, UnixMillis};
use libfuzzer_sys::fuzz_target;
use ocpp::{Frame, Message, Reader, Side, Version};
use portcullis::config::Config;

/// The policy of a configuration that says nothing about it: with the built-in rules.
static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let example = include_str!("../../crates/portcullis/src/config/example.toml");
    match Config::read("portcullis.toml", example, Path::new("")) {
        Ok(config) => config.policy,
        Err(problems) => panic!("{problems:?}"),
    }
});

const MESSAGES: [(Side, &str); 6] = [
    (Side::Csms, r#"[2,"1","RemoteStartTransaction",{"idTag":"TEXT"}]"#),
    (Side::Csms, r#"[2,"1","ChangeConfiguration",{"key":"OcppUrl","value":"TEXT"}]"#),
    (Side::Csms, r#"[2,"1","GetDiagnostics",{"location":"TEXT"}]"#),
    (Side::Csms, r#"[2,"1","DataTransfer",{"vendorId":"v","data":"TEXT"}]"#),
    (Side::Station, r#"[2,"1","Authorize",{"idTag":"TEXT"}]"#),
    (Side::Station, r#"[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","info":"TEXT","timestamp":"TEXT"}]"#),
];

fuzz_target!(init: plant(seeds()), |data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if text.contains('\0') || text.len() > 4096 {
        return;
    }
    let quoted = serde_json::to_string(text).unwrap_or_default();
    let plainly = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    for (from, message) in MESSAGES {
        let found = |written: &str| found(from, &message.replace("TEXT", written));
        assert_eq!(found(plainly), found(&escaped), "{text:?}");
    }
});

/// What is found in a message, by kind and place; lengths in bytes are another matter.
fn found(from: Side, message: &str) -> Vec<(Control, String, String)> {
    let mut reader = Reader::new();
    let mut state = StationState::new(Version::V16, 1);
    let frame = Frame::text(message.as_bytes());
    let message = reader.read(frame, from, Version::V16, &POLICY.limits, state.exchange());
    assert!(matches!(message, Message::Call(_)), "{message:?}");
    let now = Moment {
        elapsed: Duration::from_secs(1),
        wall: UnixMillis(1_800_000_000_000),
    };
    let judged = POLICY.judge(message, now, &mut state, now);
    let findings = judged.findings.into_iter();
    findings
        .map(|finding| (finding.control, finding.kind.into_owned(), finding.path))
        .collect()
}

/// Every example of every rule.
fn seeds() -> Vec<Vec<u8>> {
    let texts = POLICY.rules.texts();
    let injection = texts.injection.iter();
    let of_injection = injection.flat_map(|rule| rule.examples.iter().chain(&rule.counter_examples));
    let of_keys = texts.keys.iter().flat_map(|rule| &rule.examples);
    let times = ["2026-11-22T10:00:00Z".to_owned(), "wss://u@evil.example/x".to_owned()];
    let all = of_injection.chain(of_keys).chain(&times);
    all.map(|text| text.clone().into_bytes()).collect()
}

use std::path::Path;
use std::time::Duration;

use guard::{BackendUrl, Control, Moment, Policy, StationState, UnixMillis};
use ocpp::{Frame, Meaning, Message, Reader, Side, Version};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn plain() -> Arc<Rules> {
    PLAIN.clone().unwrap()
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_built_in_rules_do_what_their_examples_say() {
    let texts = plain();
    let texts = texts.texts();
    assert!(texts.injection.len() >= 10 && texts.patches.len() >= 3 && texts.keys.len() >= 2);
}

#[test]
fn every_file_of_rules_is_part_of_the_program() {
    let mut found = Vec::new();
    for folder in ["injection", "keys", "patches"] {
        for entry in std::fs::read_dir(root().join("rules").join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            found.push(format!("rules/{folder}/{name}"));
        }
    }
    found.sort();
    let built_in: Vec<&str> = builtin::FILES.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, built_in);
}

/// Fields of each side's messages with what they mean, and a message around a text of theirs.
const FIELDS: [(Side, Meaning, &str); 7] = [
    (
        Side::Csms,
        Meaning::Token,
        r#"[2,"1","RemoteStartTransaction",{"idTag":"TEXT"}]"#,
    ),
    (
        Side::Csms,
        Meaning::ConfigValue,
        r#"[2,"1","ChangeConfiguration",{"key":"k","value":"TEXT"}]"#,
    ),
    (
        Side::Csms,
        Meaning::Url,
        r#"[2,"1","GetDiagnostics",{"location":"TEXT"}]"#,
    ),
    (
        Side::Csms,
        Meaning::VendorData,
        r#"[2,"1","DataTransfer",{"vendorId":"v","data":"TEXT"}]"#,
    ),
    (
        Side::Station,
        Meaning::Token,
        r#"[2,"1","Authorize",{"idTag":"TEXT"}]"#,
    ),
    (
        Side::Station,
        Meaning::Model,
        r#"[2,"1","BootNotification",{"chargePointVendor":"v","chargePointModel":"TEXT"}]"#,
    ),
    (
        Side::Station,
        Meaning::FreeText,
        r#"[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","info":"TEXT"}]"#,
    ),
];

/// The kinds of what is found in a message, by the controls of texts.
fn found(from: Side, message: &str) -> Vec<String> {
    let policy = Policy {
        rules: plain(),
        ..Policy::default()
    };
    let mut state = StationState::new(Version::V16, 1);
    let mut reader = Reader::new();
    let frame = Frame::text(message.as_bytes());
    let message = reader.read(frame, from, Version::V16, &policy.limits, state.exchange());
    assert!(matches!(message, Message::Call(_)), "{message:?}");
    let now = Moment {
        elapsed: Duration::from_secs(1),
        wall: UnixMillis(1_800_000_000_000),
    };
    let judged = policy.judge(message, now, &mut state, now);
    let of_rules = judged
        .findings
        .iter()
        .filter(|finding| matches!(finding.control, Control::Injection | Control::InjectionUp));
    of_rules.map(|finding| finding.kind.to_string()).collect()
}

fn plainly(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

fn escaped(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

#[test]
fn a_text_is_caught_or_not_however_it_is_escaped() {
    let rules = plain();
    let mut tried = 0;
    for rule in &rules.texts().injection {
        let fits = |(from, meaning, _): &&(Side, Meaning, &str)| {
            *from == rule.from && rule.meanings.contains(meaning)
        };
        for (from, _, message) in FIELDS.iter().filter(fits) {
            let good = rule.examples.iter().map(|text| (text, true));
            let bad = rule.counter_examples.iter().map(|text| (text, false));
            // U+0000 is refused in every mode, before any rule.
            for (text, wanted) in good.chain(bad).filter(|(text, _)| !text.contains('\0')) {
                for written in [plainly(text), escaped(text)] {
                    let kinds = found(*from, &message.replace("TEXT", &written));
                    let caught = kinds.iter().any(|kind| **kind == *rule.id);
                    assert_eq!(caught, wanted, "{}: {text:?} as {written}", rule.id);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 200, "{tried}");
}

#[test]
fn honest_texts_are_let_pass_by_all_rules() {
    for (from, meaning, message) in FIELDS {
        let own: &[&str] = match meaning {
            Meaning::Token => &[
                "04A2B3C4D5E6F7",
                "DE*ABC*E12345*1",
                "DE-8AA-C1234567-8",
                "O'Brien & Sons",
                "50% <10kW",
                "{0d8f5f6e-3c1c-4b8e-9d53-0a4c2f1b7e11}",
            ],
            Meaning::Url => &[
                "https://files.example/fw.bin?a=1&b=2#x",
                "ftp://user:pass@192.0.2.1:21/logs/CP-0001/",
                "sftp://[2001:db8::1]/a%20b.tar.gz",
                "https://bucket.example/x?X-Amz-Date=20261122T100000Z&X-Amz-Signature=ab%2Fcd",
            ],
            Meaning::VendorData => &[
                r#"{"limit":16.0,"unit":"A","nested":{"list":[1,2,{"x":null}]}}"#,
                "AAECAwQFBgcICQ==",
                "key=value;key2=value2",
                "<Status><A1>ok</A1></Status>",
            ],
            _ => &[
                "O'Brien",
                "R&D",
                "50% <10kW",
                "04A2B3C4D5E6F7",
                "DE*ABC*E12345*1",
                "Energy.Active.Import.Register,Voltage",
                "Wall Box 22 (DC)",
                "Müller & Söhne GmbH",
                "#1 / left side; see manual, p. 3",
                "Over-temperature: 92°C > 90°C",
                "true",
                "-40",
                "",
            ],
        };
        for text in own {
            for written in [plainly(text), escaped(text)] {
                let message = message.replace("TEXT", &written);
                assert_eq!(found(from, &message), [""; 0], "{meaning:?}: {text}");
            }
        }
    }
}

/// What is said against an order of a CSMS, where one address is allowed.
fn against(version: Version, order: &str) -> Vec<(String, String)> {
    let policy = Policy {
        rules: plain(),
        backends: vec![BackendUrl::parse("wss://gate.example/ocpp").unwrap()],
        ..Policy::default()
    };
    let mut state = StationState::new(version, 1);
    let mut reader = Reader::new();
    let frame = Frame::text(order.as_bytes());
    let message = reader.read(frame, Side::Csms, version, &policy.limits, state.exchange());
    let judged = policy.judge(message, Moment::default(), &mut state, Moment::default());
    let findings = judged.findings.into_iter();
    findings
        .filter(|finding| finding.control == Control::BackendUrl)
        .map(|finding| {
            assert!(!finding.what.contains("evil"), "{}", finding.what);
            (finding.kind.into_owned(), finding.path)
        })
        .collect()
}

#[test]
fn an_order_that_points_elsewhere_is_seen_in_every_version() {
    let change = |key: &str, value: &str| {
        json!([2, "1", "ChangeConfiguration", { "key": key, "value": value }]).to_string()
    };
    let variable = |key: &str, value: &str| {
        let named = json!({ "name": key });
        let other = json!({
            "attributeValue": "300", "component": { "name": "C" }, "variable": { "name": "Other" },
        });
        let set =
            json!({ "attributeValue": value, "component": { "name": "C" }, "variable": named });
        json!([2, "1", "SetVariables", { "setVariableData": [other, set] }]).to_string()
    };
    let profile = |url: &str| {
        let data = json!({
            "ocppVersion": "OCPP20", "ocppTransport": "JSON", "ocppCsmsUrl": url,
            "messageTimeout": 30, "securityProfile": 2, "ocppInterface": "Wired0",
        });
        json!([2, "1", "SetNetworkProfile", { "configurationSlot": 1, "connectionData": data }])
            .to_string()
    };
    let (v16, v201) = (Version::V16, Version::V201);
    let in_list = "setVariableData[].attributeValue";
    for (version, order, wanted) in [
        (
            v16,
            change("CentralSystemURL", "wss://gate.example/ocpp/CP-1"),
            None,
        ),
        (
            v16,
            change("CentralSystemURL", "evil.example"),
            Some(("not-allowed", "value")),
        ),
        (
            v16,
            change("central_system-url", "evil example"),
            Some(("no-url", "value")),
        ),
        (
            v16,
            change("VendorsOwnName", "WSS://evil.example/"),
            Some(("not-allowed", "value")),
        ),
        (v16, change("VendorsOwnName", "https://evil.example/"), None),
        (v16, change("HeartbeatInterval", "300"), None),
        (
            v201,
            variable("OcppCsmsUrl", "wss://gate.example/ocpp"),
            None,
        ),
        (
            v201,
            variable("OcppCsmsUrl", "evil.example/ocpp"),
            Some(("not-allowed", in_list)),
        ),
        (
            v201,
            variable("X", "wss://me@gate.example/ocpp"),
            Some(("userinfo", in_list)),
        ),
        (v201, profile("wss://gate.example/ocpp"), None),
        (
            v201,
            profile("wss://gate.example@evil.example/"),
            Some(("not-allowed-with-userinfo", "connectionData.ocppCsmsUrl")),
        ),
    ] {
        let found = against(version, &order);
        let found: Vec<_> = found
            .iter()
            .map(|(kind, path)| (&**kind, &**path))
            .collect();
        assert_eq!(found, Vec::from_iter(wanted), "{order}");
    }
}

#[test]
fn what_is_looked_at_is_bounded_and_more_is_told() {
    let data =
        |text: String| format!(r#"[2,"1","DataTransfer",{{"vendorId":"v","data":"{text}"}}]"#);
    let honest = "A".repeat(60_000);
    assert_eq!(found(Side::Csms, &data(honest.clone())), [""; 0]);
    let much = "a;b ".repeat(15_000) + "$(reboot)";
    assert_eq!(found(Side::Csms, &data(much)), ["shell-substitution"]);
    let hidden = "a;b ".repeat(16_400) + "$(reboot)";
    assert_eq!(found(Side::Csms, &data(hidden)), ["too-much-text"]);
    // In a list that nobody reads to its end.
    let keys: Vec<String> = (0..400).map(|number| format!("\"k{number}|sh\"")).collect();
    let many = format!(
        r#"[2,"1","GetConfiguration",{{"key":[{}]}}]"#,
        keys.join(",")
    );
    assert_eq!(found(Side::Csms, &many), ["shell-chain", "too-much-text"]);
}

#[test]
fn a_password_may_hold_anything() {
    let value = json!("a`b`$(c)|d;e && reboot ").to_string();
    let set =
        |key: &str| format!(r#"[2,"1","ChangeConfiguration",{{"key":"{key}","value":{value}}}]"#);
    assert_eq!(found(Side::Csms, &set("AuthorizationKey")), [""; 0]);
    assert!(!found(Side::Csms, &set("LightIntensity")).is_empty());
}

proptest! {
    #[test]
    fn letters_and_digits_are_never_objected_to(text in "[A-Za-z0-9 .,:_/*äöü€-]{0,60}") {
        let text = text.trim_start_matches(['-', ' ']);
        for (from, meaning, message) in FIELDS {
            // A path may climb with points and slashes alone, and no URL holds a space.
            if meaning != Meaning::Url && !text.contains("..") {
                let kinds = found(from, &message.replace("TEXT", &plainly(text)));
                prop_assert!(kinds.is_empty(), "{:?}: {}", kinds, text);
            }
        }
    }
}

/// What is said of a file of rules, with its lines.
fn problems(text: &str) -> Vec<(usize, String)> {
    let (gathered, mut problems) = read::file("own.toml", text);
    problems.extend(gathered.tried().err().unwrap_or_default());
    let told = problems.iter().map(|problem| {
        assert_eq!(problem.file.as_deref(), Some("own.toml"));
        assert!(!problem.remedy.is_empty(), "{problem}");
        (problem.line.unwrap_or(0), problem.what.clone())
    });
    told.collect()
}

const RULE: &str = r#"
[[injection]]
id = "own"
threat = "B06"
from = "csms"
meanings = ["url"]
pattern = ";rm"
what = "a removal"
examples = ["x;rm"]
counter_examples = ["x"]
"#;

#[test]
fn a_rule_that_is_wrong_is_told_at_its_line() {
    assert_eq!(problems(RULE), []);
    for (good, bad, line, said) in [
        (
            "examples = [\"x;rm\"]",
            "examples = [\"x\"]",
            2,
            "misses its example",
        ),
        (
            "examples = [\"x\"]",
            "examples = [\"x;rm\"]",
            2,
            "too eager",
        ),
        (
            "counter_examples = [\"x\"]",
            "",
            2,
            "no example, or no counter-example",
        ),
        ("\";rm\"", "\"(\"", 2, "no regular expression"),
        ("\";rm\"", "\".*\"", 2, "would be tried on all"),
        ("[\"url\"]", "[\"uri\"]", 6, "no field means `uri`"),
        ("from = \"csms\"", "from = \"cms\"", 5, "`from` is \"cms\""),
        ("\"own\"", "\"Own rule\"", 3, "`id` is \"Own rule\""),
        ("what =", "why =", 8, "has no setting `why`"),
    ] {
        assert!(RULE.contains(good), "{good}");
        let told = problems(&RULE.replacen(good, bad, 1));
        let fits = |(at, what): &(usize, String)| *at == line && what.contains(said);
        assert!(told.iter().any(fits), "{bad}: {told:?}");
    }
    let twice = problems(&format!("{RULE}{RULE}"));
    assert!(
        twice.iter().any(|(_, what)| what.contains("same id")),
        "{twice:?}"
    );
    let many: String = (0..=Rules::RULES_MAX)
        .map(|number| RULE.replace("\"own\"", &format!("\"own-{number}\"")))
        .collect();
    assert!(
        problems(&many)
            .iter()
            .any(|(_, what)| what.contains("more than 64"))
    );
}

#[test]
fn the_reference_shows_every_built_in_rule() {
    let rules = plain();
    let texts = rules.texts();
    let mut injection = "| rule | from | what | in |\n|---|---|---|---|\n".to_owned();
    for rule in &texts.injection {
        let from = match rule.from {
            Side::Station => "station",
            Side::Csms => "CSMS",
        };
        let meanings: Vec<&str> = rule.meanings.iter().map(|one| one.name()).collect();
        let meanings = meanings.join(", ");
        injection += &format!("| `{}` | {from} | {} | {meanings} |\n", rule.id, rule.what);
    }
    let mut patches = "| rule | what | mended in | source |\n|---|---|---|---|\n".to_owned();
    for patch in &texts.patches {
        let mended = patch.mended_in.as_deref().unwrap_or("–");
        let (id, what, source) = (&patch.id, &patch.what, &patch.source);
        patches += &format!("| `{id}` | {what} | {mended} | {source} |\n");
    }
    let mut keys = "| rule | what | such as |\n|---|---|---|\n".to_owned();
    for rule in &texts.keys {
        keys += &format!(
            "| `{}` | {} | {} |\n",
            rule.id,
            rule.what,
            rule.examples.join(", ")
        );
    }
    let page = std::fs::read_to_string(root().join("docs/reference/rules.md")).unwrap();
    for table in [injection, patches, keys] {
        assert!(
            page.contains(&table),
            "docs/reference/rules.md is to say:\n{table}"
        );
    }
}

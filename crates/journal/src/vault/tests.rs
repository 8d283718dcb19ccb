//! Scenes in the vault: messages as stations write them go in, what may be recorded comes out.

use std::path::PathBuf;

use ocpp::catalogue::{self, ActionFacts};
use ocpp::{Facts, Frame, Limits, Message, OpenCalls, Reader, Side, Version};

use super::*;
use crate::keys::Root;

pub(super) struct Scene {
    dir: tempfile::TempDir,
    pub(super) vault: Vault,
    pub(super) now: UnixMillis,
}

/// The CSMS has asked `action`, under the id `asked`.
struct Asked(Option<&'static ActionFacts>);

impl OpenCalls for Asked {
    fn action_of(&self, _: Side, id: &str) -> Option<Option<&'static ActionFacts>> {
        (id == "asked").then_some(self.0)
    }
}

pub(super) const DAY: i64 = 24 * 60 * 60 * 1000;

impl Scene {
    pub(super) fn new() -> Scene {
        Scene::with(VaultSettings::default())
    }

    pub(super) fn with(settings: VaultSettings) -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let vault = open(dir.path(), settings).unwrap();
        Scene {
            dir,
            vault,
            now: UnixMillis(1_795_305_600_000),
        }
    }

    /// The process ends, whatever is not durable is gone, and another one starts.
    pub(super) fn restart(&mut self) {
        self.vault.subjects.abandon();
        self.vault = open(self.dir.path(), VaultSettings::default()).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn says(&mut self, version: Version, text: &str) -> (String, Vec<Handle>) {
        self.answers(version, "", text)
    }

    /// The answer to a CALL of that action.
    pub(super) fn answers(
        &mut self,
        version: Version,
        action: &str,
        text: &str,
    ) -> (String, Vec<Handle>) {
        let mut reader = Reader::new();
        let asked = Asked(catalogue::action(version, action));
        let frame = Frame::text(text.as_bytes());
        let message = reader.read(frame, Side::Station, version, &Limits::default(), &asked);
        let facts = match &message {
            Message::Call(call) | Message::Send(call) => call.facts,
            Message::Answer(answer) => answer.facts,
            Message::Unreadable(unreadable) => panic!("{:?} in {text}", unreadable.fault),
        };
        let (mut out, mut handles) = (b"before ".to_vec(), Vec::new());
        let rewritten = self.vault.rewrite(
            "cpo",
            text.as_bytes(),
            facts,
            self.now,
            &mut out,
            &mut handles,
        );
        rewritten.unwrap();
        let out = String::from_utf8(out).unwrap();
        let out = out.strip_prefix("before ").unwrap().to_owned();
        let _: serde_json::Value = serde_json::from_str(&out).unwrap();
        (out, handles)
    }

    pub(super) fn token(&mut self, identifier: &str) -> Handle {
        let now = self.now;
        self.vault
            .handle_of("cpo", Class::Token, identifier, now)
            .unwrap()
    }
}

pub(super) fn open(dir: &Path, settings: VaultSettings) -> Result<Vault, VaultError> {
    let keys = KeyRing::init(
        Root::new([7; 32]),
        &dir.join("record/keys"),
        &dir.join("keks"),
    )?;
    Vault::open(&dir.join("record/subjects.db"), Arc::new(keys), settings)
}

const V16: Version = Version::V16;
const V201: Version = Version::V201;

#[test]
fn a_token_becomes_a_handle_and_the_rest_stands() {
    let mut scene = Scene::new();
    let (out, handles) = scene.says(V16, r#"[2, "1", "Authorize", {"idTag": "04E91C5A123F80"}]"#);
    let [handle] = handles[..] else {
        panic!("{out}");
    };
    assert_eq!(
        out,
        format!(r#"[2, "1", "Authorize", {{"idTag": "{handle}"}}]"#)
    );
    let (again, _) = scene.says(
        V16,
        r#"[2,"2","Authorize",{"idTag":"80\u0033F125A1CE904"}]"#,
    );
    assert_eq!(
        again,
        format!(r#"[2,"2","Authorize",{{"idTag":"{handle}"}}]"#)
    );
    let (other, _) = scene.says(V16, r#"[2,"2","Authorize",{"idTag":"04E91C5A123F81"}]"#);
    assert!(!other.contains(&handle.to_string()), "{other}");

    let whom = scene.vault.original(handle).unwrap();
    assert_eq!(
        (whom.class, whom.text.as_str()),
        (Class::Token, "04E91C5A123F80")
    );
    assert_eq!(
        scene.vault.find("cpo", "04:e9:1c:5a:12:3f:80").unwrap(),
        [handle]
    );
    assert_eq!(scene.vault.find("another", "04E91C5A123F80").unwrap(), []);
}

#[test]
fn a_message_without_facts_is_copied() {
    let mut scene = Scene::new();
    for text in [r#"[2,"hb","Heartbeat",{}]"#, r#"[3,"hb",{}]"#] {
        assert_eq!(scene.says(V16, text), (text.to_owned(), Vec::new()));
    }
}

#[test]
fn a_handle_lasts_an_epoch_and_is_found_in_all_of_them() {
    let mut scene = Scene::new();
    let first = scene.token("A");
    scene.now.0 += DAY;
    assert_eq!(scene.token("A"), first);
    scene.now.0 += 90 * DAY;
    let second = scene.token("A");
    assert_ne!(second, first);
    assert_eq!(scene.vault.find("cpo", "a").unwrap(), [first, second]);
    let other = scene.now;
    let elsewhere = scene.vault.handle_of("another", Class::Token, "A", other);
    assert_ne!(elsewhere.unwrap(), second, "tenants have nothing in common");
}

#[test]
fn what_is_settled_outlives_the_process_and_what_is_not_stands_for_nobody() {
    let mut scene = Scene::new();
    let settled = scene.token("settled");
    scene.vault.settle().unwrap();
    let not = scene.token("not settled");
    scene.restart();
    assert_eq!(scene.token("settled"), settled);
    assert_ne!(scene.token("not settled"), not);
    assert!(matches!(
        scene.vault.original(not),
        Err(VaultError::Unknown)
    ));
}

#[test]
fn a_key_code_is_never_kept_wherever_its_kind_stands() {
    let mut scene = Scene::new();
    for (text, secret) in [
        (r#"{"idToken":"271828","type":"KeyCode"}"#, true),
        (r#"{"type":"Key\u0043ode","idToken":"271828"}"#, true),
        (r#"{"idToken":"271828","type":"ISO14443"}"#, false),
    ] {
        let text = format!(r#"[2,"1","Authorize",{{"idToken":{text}}}]"#);
        let (out, handles) = scene.says(V201, &text);
        assert!(!out.contains("271828"), "{out}");
        assert_eq!(out.contains("secret (6 bytes)"), secret, "{out}");
        assert_eq!(handles.len(), usize::from(!secret));
    }
    let text = r#"[2,"1","Authorize",{"idToken":{"idToken":"04E91C5A123F80","additionalInfo":[{"additionalIdToken":"271828","type":"PIN"},{"additionalIdToken":"314159","type":"card"}],"type":"ISO14443"}}]"#;
    let (out, handles) = scene.says(V201, text);
    assert!(!out.contains("271828") && !out.contains("314159"), "{out}");
    assert!(
        out.contains("secret (6 bytes)") && handles.len() == 2,
        "{out}"
    );
}

#[test]
fn a_configuration_value_is_as_secret_as_its_key() {
    let mut scene = Scene::new();
    let change = |key: &str, value: &str| {
        format!(r#"[2,"1","ChangeConfiguration",{{"key":"{key}","value":"{value}"}}]"#)
    };
    for (key, shown) in [
        ("HeartbeatInterval", "\"value\":\"planted\""),
        ("AuthorizationKey", "\"value\":\"secret (7 bytes)\""),
        ("VendorNote", "\"value\":\"text:"),
        ("DefaultIdTag", "\"value\":\"z"),
    ] {
        let (out, _) = scene.says(V16, &change(key, "planted"));
        assert!(out.contains(shown), "{out}");
        assert_eq!(out.contains("planted"), key == "HeartbeatInterval", "{out}");
    }
    let answer = r#"[3,"asked",{"configurationKey":[{"key":"AuthorizationKey","readonly":false,"value":"planted"},{"key":"HeartbeatInterval","readonly":false,"value":"300"}],"unknownKey":["x"]}]"#;
    let (out, _) = scene.answers(V16, "GetConfiguration", answer);
    assert!(
        !out.contains("planted") && out.contains(r#""value":"300""#),
        "{out}"
    );
}

#[test]
fn a_variables_name_is_found_wherever_it_stands() {
    let mut scene = Scene::new();
    let secret = r#"{"attributeValue":"planted","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}"#;
    let harmless = r#"{"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"},"attributeValue":"300"}"#;
    for items in [
        format!("{secret},{harmless}"),
        format!("{harmless},{secret}"),
    ] {
        let text = format!(r#"[2,"1","SetVariables",{{"setVariableData":[{items}]}}]"#);
        let (out, _) = scene.says(V201, &text);
        assert!(
            !out.contains("planted") && out.contains(r#""attributeValue":"300""#),
            "{out}"
        );
    }
    let report = r#"[2,"n","NotifyReport",{"requestId":1,"generatedAt":"2026-03-01T10:00:00Z","seqNo":0,"reportData":[{"variableAttribute":[{"value":"planted"}],"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}},{"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"},"variableAttribute":[{"value":"300"}]}]}]"#;
    let (out, _) = scene.says(V201, report);
    assert!(
        !out.contains("planted") && out.contains(r#""value":"300""#),
        "{out}"
    );
    // Whose name is missing belongs to nobody, and is not taken for its neighbour's.
    let nameless = r#"[2,"1","SetVariables",{"setVariableData":[{"component":{"name":"C"},"attributeValue":"planted"},{"component":{"name":"C"},"variable":{"name":"HeartbeatInterval"},"attributeValue":"300"},{"component":{"name":"C"},"variable":{"name":"Secret"},"attributeValue":"x"}]}]"#;
    let (out, _) = scene.says(V201, nameless);
    assert!(!out.contains("planted"), "{out}");
}

#[test]
fn a_message_laid_out_over_lines_is_put_on_one() {
    let mut scene = Scene::new();
    let text = "[2,\n \"7\",\r\n \"Authorize\", {\n  \"idTag\": \"PLANTED\"\n }\n]\n";
    let (out, handles) = scene.says(V16, text);
    assert_eq!((out.lines().count(), handles.len()), (1, 1), "{out}");
    let read: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&read[1], &read[2]), (&"7".into(), &"Authorize".into()));
    assert!(!out.contains("PLANTED"), "{out}");
}

#[test]
fn free_text_is_sealed_under_its_day_and_opens_with_its_key() {
    let mut scene = Scene::new();
    let text = r#"[2,"4","StatusNotification",{"connectorId":0,"errorCode":"NoError","info":"Frau M\u00fcller rief an","status":"Available"}]"#;
    let (out, _) = scene.says(V16, text);
    assert!(
        !out.contains("Frau") && out.contains(r#""status":"Available""#),
        "{out}"
    );
    let sealed = out.split("\"info\":\"").nth(1).unwrap();
    let sealed = sealed.split('"').next().unwrap();
    let opened = scene.vault.open_text(sealed).unwrap().unwrap();
    assert_eq!(opened.as_str(), "Frau Müller rief an");
    assert!(scene.path("record/keys/text-2026-11-22.key").exists());
    assert!(scene.vault.open_text("text:AAAA").unwrap().is_none());
    assert!(scene.vault.open_text("Frau").unwrap().is_none());
}

#[test]
fn whom_free_text_names_has_the_same_handle_as_elsewhere() {
    let mut scene = Scene::new();
    let emaid = scene.token("DE83DUIEN83QGZ");
    let text = r#"[2,"5","DataTransfer",{"vendorId":"v","data":"{\"c\":\"DE-83D-UIEN83QGZ-D\",\"p\":\"https://anna:pass@x.example\"}"}]"#;
    let (out, handles) = scene.says(V16, text);
    assert_eq!(handles, [emaid]);
    let sealed = out.split("\"data\":\"").nth(1).unwrap();
    let opened = scene.vault.open_text(sealed.split('"').next().unwrap());
    assert_eq!(
        opened.unwrap().unwrap().as_str(),
        format!(r#"{{"c":"{emaid}","p":"https://user information (9 bytes)@x.example"}}"#)
    );
}

/// Made for this test; its common name is a contract's, its key was thrown away.
const CONTRACT: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBxTCCAWugAwIBAgIUbAl2mrbos96AcbefkjVSha30pT0wCgYIKoZIzj0EAwIw\n\
ODELMAkGA1UEBhMCREUxEDAOBgNVBAoMB0V4YW1wbGUxFzAVBgNVBAMMDkRFOEFB\n\
QzEyMzQ1Njc4MB4XDTI2MTEyMjE2MDgwMFoXDTM2MTExOTE2MDgwMFowODELMAkG\n\
A1UEBhMCREUxEDAOBgNVBAoMB0V4YW1wbGUxFzAVBgNVBAMMDkRFOEFBQzEyMzQ1\n\
Njc4MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzyL2XnsGfNA0kPKzGNfE45em\n\
C2LhyM/H7AhOB0kdon5Rat3Tgdxs0pGZGYeVcBT2uzzVMxvfJmqH+NcEF7rUoKNT\n\
MFEwHQYDVR0OBBYEFMLaVJTlyX6KYuxvTHjnn3PBAL0fMB8GA1UdIwQYMBaAFMLa\n\
VJTlyX6KYuxvTHjnn3PBAL0fMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwID\n\
SAAwRQIgRGYCVs+iXNn4/v2Hhj0Z3p3BjShfF/3p+T4Xu3JtrC0CIQDR8VbDu3kw\n\
zCKip5uJgnWH/VyVq++Bk93uSJcclZBHXQ==\n\
-----END CERTIFICATE-----\n";

#[test]
fn a_contracts_certificate_has_its_contracts_handle() {
    let mut scene = Scene::new();
    let emaid = scene.token("DE-8AA-C12345678");
    let text = serde_json::json!([2, "1", "Authorize", {
        "idToken": {"idToken": "DE8AAC12345678", "type": "eMAID"}, "certificate": CONTRACT,
    }]);
    let (out, handles) = scene.says(V201, &text.to_string());
    assert_eq!(handles, [emaid, emaid], "{out}");
    let shown = format!("certificate ({} bytes, subject {emaid})", CONTRACT.len());
    assert!(out.contains(&shown), "{out}");
    let request = serde_json::json!([2, "1", "SignCertificate", {"csr": "planted"}]);
    let (out, _) = scene.says(V201, &request.to_string());
    assert!(out.contains(r#""csr":"certificate (7 bytes)""#), "{out}");
}

#[test]
fn a_private_stations_serial_number_has_the_handle_of_its_identity() {
    let mut scene = Scene::new();
    let boot = r#"[2,"b","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V","serialNumber":"HOME-17"}}]"#;
    assert_eq!(scene.says(V201, boot), (boot.to_owned(), vec![]));
    let now = scene.now;
    let home = scene
        .vault
        .handle_of("cpo", Class::Station, "HOME-17", now)
        .unwrap();
    scene.vault.of_private_station(true);
    let (out, handles) = scene.says(V201, boot);
    assert_eq!(handles, [home]);
    assert!(!out.contains("HOME-17"), "{out}");
    scene.vault.of_private_station(false);
    assert_eq!(scene.says(V201, boot).0, boot);
}

#[test]
fn what_is_inside_a_replaced_value_is_replaced_with_it() {
    let mut scene = Scene::new();
    let text = r#"[2,"d","DataTransfer",{"vendorId":"v","data":{"customData":{"vendorId":"planted"},"x":"planted"}}]"#;
    let (out, _) = scene.says(V201, text);
    assert!(!out.contains("planted"), "{out}");
    let (out, _) = scene.says(
        V16,
        r#"[2,"1","Authorize",{"idTag":{"planted":"planted"}}]"#,
    );
    assert!(!out.contains("planted"), "{out}");
    let (number, handles) = scene.says(V16, r#"[2,"1","Authorize",{"idTag":271828}]"#);
    assert!(!number.contains("271828"), "{number}");
    assert_eq!(scene.vault.find("cpo", "271828").unwrap(), handles);
}

#[test]
fn an_empty_value_says_nothing_and_stays() {
    let mut scene = Scene::new();
    for text in [
        r#"[2,"1","Authorize",{"idTag":""}]"#,
        r#"[2,"1","Authorize",{"idTag":null}]"#,
        r#"[2,"5","DataTransfer",{"vendorId":"v","data":""}]"#,
    ] {
        assert_eq!(scene.says(V16, text).0, text);
    }
}

#[test]
fn a_message_whose_values_were_not_all_noted_is_not_kept() {
    let mut scene = Scene::new();
    let text = br#"[2,"1","Authorize",{"idTag":"planted"}]"#;
    let (mut out, mut handles) = (Vec::new(), Vec::new());
    let facts = Facts::new(text, &[], 1);
    let now = scene.now;
    let rewritten = scene
        .vault
        .rewrite("cpo", text, facts, now, &mut out, &mut handles);
    rewritten.unwrap();
    assert_eq!(out, b"\"message (39 bytes)\"");
}

#[test]
fn whoever_sends_random_tokens_fills_no_disk() {
    let mut scene = Scene::with(VaultSettings {
        new_subjects_a_day_max: 2,
        ..VaultSettings::default()
    });
    let authorize = |scene: &mut Scene, token: &str| {
        scene
            .says(
                V16,
                &format!(r#"[2,"1","Authorize",{{"idTag":"{token}"}}]"#),
            )
            .0
    };
    let known = authorize(&mut scene, "A");
    authorize(&mut scene, "B");
    assert!(authorize(&mut scene, "CCC").contains("\"token (3 bytes)\""));
    let health = scene.vault.health();
    assert!(health.withheld == 1 && health.withholds, "{health:?}");
    assert_eq!(
        authorize(&mut scene, "A"),
        known,
        "whoever is known keeps the handle"
    );
    scene.now.0 += DAY;
    assert!(authorize(&mut scene, "CCC").contains("\"z"));
    let health = scene.vault.health();
    assert!(health.withheld == 1 && !health.withholds, "{health:?}");
}

#[test]
fn the_vault_of_another_root_does_not_open() {
    let scene = Scene::new();
    let opened = KeyRing::open(
        Root::new([8; 32]),
        &scene.path("record/keys"),
        &scene.path("keks"),
    );
    assert!(opened.is_err());
}

mod erasing;
mod revealing;

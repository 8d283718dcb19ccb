//! D03: which messages give a station another credential, and what its answers mean.

mod common;

use guard::{CredentialChange, NewCredential};
use ocpp::Side::{Csms, Station};
use ocpp::{Frame, Side, Version};

use common::Session;

/// Says a message; what it means for the station's credential, in words.
fn said(session: &mut Session, from: Side, text: &str) -> Option<String> {
    let frame = Frame::text(text.as_bytes());
    let (version, limits) = (session.state.version(), &session.policy.limits);
    let message = session
        .reader
        .read(frame, from, version, limits, session.state.exchange());
    let judgement = session
        .policy
        .judge(message, session.now, &mut session.state, session.now);
    let word = |credential: &NewCredential| match credential {
        NewCredential::Password(secret) => {
            format!("password {}", String::from_utf8_lossy(secret.expose()))
        }
        NewCredential::Certificate(chain) => format!("certificate {chain}"),
    };
    judgement.change.map(|change| match *change {
        CredentialChange::Offered(credential) => format!("offered {}", word(&credential)),
        CredentialChange::Answered {
            credential,
            accepted: true,
        } => format!("accepted {}", word(&credential)),
        CredentialChange::Answered { credential, .. } => format!("refused {}", word(&credential)),
    })
}

const KEY_16: &str = r#"[2,"k","ChangeConfiguration",{"key":"AuthorizationKey","value":"00ff"}]"#;
const KEY_2: &str = r#"[2,"k","SetVariables",{"setVariableData":[
    {"attributeValue":"60","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}},
    {"variable":{"name":"BasicAuthPassword"},"component":{"name":"SecurityCtrlr"},"attributeValue":"n\u0065w"}]}]"#;

fn results(password: &str) -> String {
    format!(
        r#"[3,"k",{{"setVariableResult":[
        {{"attributeStatus":"Rejected","component":{{"name":"OCPPCommCtrlr"}},"variable":{{"name":"HeartbeatInterval"}}}},
        {{"attributeStatus":"{password}","component":{{"name":"SecurityCtrlr"}},"variable":{{"name":"BasicAuthPassword"}}}}]}}]"#
    )
}

fn profile(version: Version) -> String {
    let security = if version == Version::V21 {
        r#""basicAuthPassword":"new","#
    } else {
        ""
    };
    format!(
        r#"[2,"k","SetNetworkProfile",{{"configurationSlot":1,"connectionData":{{{security}
        "ocppVersion":"OCPP20","ocppTransport":"JSON","ocppCsmsUrl":"wss://csms.example","messageTimeout":30,
        "securityProfile":2,"ocppInterface":"Wired0",
        "apn":{{"apn":"a","apnPassword":"of the apn","apnAuthentication":"CHAP"}}}}}}]"#
    )
}

/// A CALL, and every answer to it with what that means.
fn walk(version: Version, call: &str, offered: &str, answers: &[(&str, Option<&str>)]) {
    for (answer, means) in answers {
        let mut session = Session::new(version);
        assert_eq!(
            said(&mut session, Csms, call),
            Some(format!("offered {offered}"))
        );
        let means = means.map(|means| format!("{means} {offered}"));
        assert_eq!(said(&mut session, Station, answer), means, "{answer}");
        assert_eq!(said(&mut session, Station, answer), None, "once");
    }
}

#[test]
fn d03_a_password_of_1_6() {
    let error = r#"[4,"k","InternalError","",{}]"#;
    walk(
        Version::V16,
        KEY_16,
        "password 00ff",
        &[
            (r#"[3,"k",{"status":"Accepted"}]"#, Some("accepted")),
            (r#"[3,"k",{"status":"RebootRequired"}]"#, None),
            (r#"[3,"k",{"status":"Rejected"}]"#, Some("refused")),
            (r#"[3,"k",{"status":"NotSupported"}]"#, Some("refused")),
            (r#"[3,"k",{}]"#, None),
            (error, Some("refused")),
        ],
    );
}

#[test]
fn d03_a_password_of_2_0_1_among_other_variables() {
    walk(
        Version::V201,
        KEY_2,
        "password new",
        &[
            (&results("Accepted"), Some("accepted")),
            (&results("RebootRequired"), None),
            (&results("Rejected"), Some("refused")),
            (r#"[4,"k","FormationViolation","",{}]"#, Some("refused")),
        ],
    );
}

#[test]
fn d03_a_network_profile_of_2_1_is_used_some_day() {
    walk(
        Version::V21,
        &profile(Version::V21),
        "password new",
        &[
            (r#"[3,"k",{"status":"Accepted"}]"#, None),
            (r#"[3,"k",{"status":"Failed"}]"#, Some("refused")),
        ],
    );
    let mut session = Session::new(Version::V201);
    let without = profile(Version::V201);
    assert_eq!(
        said(&mut session, Csms, &without),
        None,
        "an APN's password is none of ours"
    );
}

#[test]
fn d03_a_certificate_of_the_station() {
    for version in Version::ALL {
        let call = r#"[2,"k","CertificateSigned",{"certificateChain":"-----BEGIN\nleaf"}]"#;
        let answers = [
            (r#"[3,"k",{"status":"Accepted"}]"#, Some("accepted")),
            (r#"[3,"k",{"status":"Rejected"}]"#, Some("refused")),
        ];
        walk(version, call, "certificate -----BEGIN\nleaf", &answers);
    }
    let mut session = Session::new(Version::V201);
    let v2g = r#"[2,"k","CertificateSigned",{"certificateChain":"x","certificateType":"V2GCertificate"}]"#;
    assert_eq!(said(&mut session, Csms, v2g), None, "it shows that to cars");
}

#[test]
fn d03_only_what_passes_and_only_from_the_csms_counts() {
    let mut session = Session::new(Version::V16);
    assert_eq!(
        said(&mut session, Station, KEY_16),
        None,
        "not the station's to send"
    );
    let other = r#"[2,"o","ChangeConfiguration",{"key":"HeartbeatInterval","value":"300"}]"#;
    assert_eq!(said(&mut session, Csms, other), None);
    said(&mut session, Station, r#"[3,"o",{"status":"Accepted"}]"#);
    assert!(said(&mut session, Csms, KEY_16).is_some());
    assert_eq!(
        said(&mut session, Csms, KEY_16),
        None,
        "a repetition is joined"
    );
    let foreign = r#"[3,"x",{"status":"Rejected"}]"#;
    assert_eq!(
        said(&mut session, Station, foreign),
        None,
        "an answer to nothing"
    );
    // An answer that does not pass is the station's word all the same.
    session.policy.controls.schema = guard::Mode::Enforce;
    let bad = r#"[3,"k",{"status":"Rejected","more":1}]"#;
    assert_eq!(
        said(&mut session, Station, bad),
        Some("refused password 00ff".to_owned())
    );
    let long = "x".repeat(300);
    let long = KEY_16.replace("00ff", &long).replace("\"k\"", "\"l\"");
    session.policy.controls.schema = guard::Mode::Observe;
    assert_eq!(
        said(&mut session, Csms, &long),
        None,
        "no station has such a password"
    );
}

#[test]
fn d03_a_variable_of_a_network_profile_of_2_1_is_for_some_day() {
    let call = KEY_2.replace("SecurityCtrlr", "NetworkConfiguration");
    let of = |status| results(status).replace("SecurityCtrlr", "NetworkConfiguration");
    let (accepted, rejected) = (of("Accepted"), of("Rejected"));
    let answers = [
        (accepted.as_str(), None),
        (rejected.as_str(), Some("refused")),
    ];
    walk(Version::V21, &call, "password new", &answers);
}

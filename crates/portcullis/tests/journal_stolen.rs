//! Whoever takes the gate's disk, its log, and what its owner has exported, learns whom it was about
//! from none of them.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

#[path = "../../journal/tests/stolen_disk/needles.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "shared with the journal's own test"
)]
mod needles;
mod scene;

use needles::Needles;
use scene::gate::eventually;
use scene::record::{recording, station};
use serde_json::json;

/// What a person could be known by, as stations and CSMSs send it.
const PLANTED: [&str; 9] = [
    "04A2B3C4D5E680",
    "PARENTTAG0815",
    "89490200001234567890",
    "262011234567890",
    "ann.example@mail.example",
    "WVWZZZ1JZXW000001",
    "DE89370400440532013000",
    "+49 170 1234567",
    "9f3c1d7be2a8845d10aa",
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_planted_list_is_on_disk_in_the_log_or_in_an_export() {
    let (scene, csms) = recording("[log]\nlevel = \"debug\"\n").await;
    scene.run(&["journal", "init"]).is(0);
    let gate = scene.serve();
    let talk = station(&gate).await;
    let [token, parent, iccid, imsi, mail, vin, iban, phone, secret] = PLANTED;
    for (action, said) in [
        (
            "BootNotification",
            json!({ "chargePointVendor": "V", "chargePointModel": "M", "iccid": iccid, "imsi": imsi }),
        ),
        ("Authorize", json!({ "idTag": token })),
        (
            "StatusNotification",
            json!({
                "connectorId": 1, "errorCode": "NoError", "status": "Available",
                "info": format!("call {phone}"),
            }),
        ),
        (
            "DataTransfer",
            json!({
                "vendorId": "V", "messageId": "m",
                "data": format!("{mail} drives VIN {vin}, pays by {iban}"),
            }),
        ),
    ] {
        let _ = talk.call(action, said).await;
    }
    let there = csms.station("CP-1").await.unwrap();
    let list = json!({
        "listVersion": 1, "updateType": "Full",
        "localAuthorizationList": [{
            "idTag": token, "idTagInfo": { "status": "Accepted", "parentIdTag": parent },
        }],
    });
    let _ = there.call("SendLocalList", list).await;
    let key = json!({ "key": "AuthorizationKey", "value": secret });
    let _ = there.call("ChangeConfiguration", key).await;
    // It begins, the station comes, and six CALLs have their answers.
    let search = || scene.run(&["journal", "search", "--format", "json"]).out;
    eventually(
        || search().matches("ChangeConfiguration").count() >= 2,
        search,
    );

    let needles = Needles::of(PLANTED.into_iter());
    assert!(needles.find(format!("x{token}").as_bytes()).is_some());
    let mut told = vec![("search", search()), ("metrics", gate.ask("/metrics").body)];
    for number in 0..16 {
        let shown = scene.run(&["journal", "show", &number.to_string(), "--format", "json"]);
        told.push(("show", shown.out));
    }
    for form in ["trace", "csv", "jsonl"] {
        let export = [
            "journal",
            "export",
            "--as",
            form,
            "--to",
            "-",
            "--purpose",
            "a test",
        ];
        let exported = scene.run(&export);
        assert!(exported.is(0).out.contains("Authorize"), "{}", exported.out);
        told.push((form, exported.out));
    }
    assert!(
        told.iter().any(|(_, text)| text.contains("\"idTag\":\"z")),
        "{told:?}"
    );
    let log = gate.stop().err;
    assert!(
        log.contains("Authorize"),
        "the log tells of every message:\n{log}"
    );
    told.push(("log", log));
    for (what, text) in &told {
        assert_eq!(needles.find(text.as_bytes()), None, "{what}:\n{text}");
    }
    for (path, bytes) in scene.files_but(&[]) {
        assert_eq!(needles.find(&bytes), None, "{}", path.display());
    }
}

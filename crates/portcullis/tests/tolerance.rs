//! From observe to enforce, as an operator does it: the gate has watched the fleet's habits for a
//! while, proposes what to tolerate, and is restarted with every control of texts enforced.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use ocpp::Version;
use scene::Scene;
use scene::gate::Gate;
use serde_json::json;
use sim::{Conversation, Csms, Station};

const PASSWORD: &str = "correct horse battery";

/// A number where 1.6 wants a string: a habit of this model.
const READING: &str = r#"[2,"habit","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"NOW","sampledValue":[{"value":230}]}]}]"#;
/// What no model of the fleet does.
const TOO_LONG: &str = r#"[2,"long","Authorize",{"idTag":"123456789012345678901"}]"#;

fn reading() -> String {
    READING.replace("NOW", &jiff::Timestamp::now().to_string())
}

/// A station of the model that has said what it is.
async fn booted(gate: &Gate, identity: &str) -> Conversation {
    let station = Station::new(gate.plain(), identity);
    let station = station.version(Version::V16).password(PASSWORD);
    let talk = station.connect().await.unwrap();
    let boot = json!({ "chargePointVendor": "Habit AG", "chargePointModel": "H-1" });
    talk.call("BootNotification", boot).await.unwrap();
    talk
}

fn tolerated(gate: &Gate, count: usize) {
    let labels = "{control=\"schema\",mode=\"tolerated\"}";
    gate.expect_metric(&format!("portcullis_findings_total{labels} {count}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_observe_proposes_is_what_enforce_needs() {
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", "");
    for identity in ["CP-1", "CP-2"] {
        scene.register(identity, PASSWORD, &[]);
    }
    scene.run(&["tolerance", "propose"]).is(1);
    let gate = scene.serve();
    scene
        .run(&["tolerance", "propose"])
        .is(0)
        .says("No control has objected to anything.");
    let first = booted(&gate, "CP-1").await;
    let second = booted(&gate, "CP-2").await;
    for talk in [&first, &second] {
        talk.send_text(reading()).unwrap();
        talk.expect_answer("habit").await.unwrap();
    }
    first.send_text(TOO_LONG).unwrap();
    first.expect_answer("long").await.unwrap();
    gate.expect_metric("portcullis_findings_total{control=\"schema\",mode=\"observe\"} 3");

    let list = ["tolerance", "propose", "--format", "json"];
    let told = scene.run(&list).is(0).json();
    let rows = told["findings"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(
        (&rows[0]["count"], &rows[0]["proposed"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(rows[0]["stations"], json!(["default/CP-1", "default/CP-2"]));
    assert_eq!(rows[1]["but"], "too few stations do so");
    scene
        .run(&["tolerance", "propose"])
        .is(0)
        .says("Habit AG / H-1")
        .says("no: too few stations do so");

    let sections = scene
        .run(&["tolerance", "propose", "--toml"])
        .is(0)
        .out
        .clone();
    tokio::task::spawn_blocking(move || gate.stop())
        .await
        .unwrap()
        .is(0);
    let everything = "[controls]\nschema = \"enforce\"\ntimestamps = \"enforce\"\n\
                      injection = \"enforce\"\npatches = \"enforce\"\nbackend-url = \"enforce\"\n";
    scene.configure(csms.url(), "", &format!("{everything}{sections}"));
    scene.run(&["check"]).is(0);
    let gate = scene.serve();

    let told = scene.run(&list).is(0).json();
    assert_eq!(
        told["findings"],
        json!(rows),
        "the counts survive a restart"
    );
    let talk = booted(&gate, "CP-1").await;
    talk.send_text(reading()).unwrap();
    assert!(matches!(
        talk.expect_answer("habit").await.unwrap(),
        sim::Envelope::Result { .. }
    ));
    tolerated(&gate, 1);
    talk.send_text(TOO_LONG).unwrap();
    assert!(matches!(
        talk.expect_answer("long").await.unwrap(),
        sim::Envelope::Error { .. }
    ));

    scene.run(&["tolerance", "forget"]).is(0).says("2 kinds");
    scene
        .run(&["tolerance", "propose", "--toml"])
        .is(0)
        .says("nothing to propose");
}

#[test]
fn rules_are_listed_and_a_bad_one_is_named() {
    let scene = Scene::new();
    scene
        .run(&["rules", "list"])
        .is(0)
        .says("shell-substitution")
        .says("cve-2025-5517");
    let listed = scene
        .run(&["rules", "list", "--format", "json"])
        .is(0)
        .json();
    let rules = listed.as_array().unwrap();
    let up = rules.iter().find(|rule| rule["id"] == "html").unwrap();
    assert_eq!(
        (&up["control"], &up["enforceable"]),
        (&json!("injection-up"), &json!(false))
    );

    std::fs::create_dir(scene.path("own")).unwrap();
    scene.write(
        "own/ours.toml",
        "[[keys]]\nid = \"ours\"\nthreat = \"A14\"\nfor = \"backend\"\npattern = \"headquarters\"\n\
         what = \"w\"\nexamples = [\"Headquarters\"]\ncounter_examples = [\"Head\"]\n",
    );
    let with = |more: &str| {
        format!(
            "{}\n[rules]\n{more}\n",
            scene.read("portcullis.toml").replace("[rules]\n", "")
        )
    };
    scene.write("with.toml", with("directory = \"own\"\noff = [\"html\"]"));
    let listed = scene.run(&["-c", "with.toml", "rules", "list"]);
    listed.is(0).says("ours");
    assert!(!listed.out.contains("html "), "{}", listed.out);
    scene.write(
        "own/ours.toml",
        scene
            .read("own/ours.toml")
            .replace("\"Head\"", "\"headquarters\""),
    );
    scene
        .run(&["-c", "with.toml", "check"])
        .is(2)
        .complains("own/ours.toml:1: rule `ours`: it is too eager");
    scene.write(
        "never.toml",
        format!(
            "{}\n",
            scene
                .read("portcullis.toml")
                .replace("# injection-up = \"observe\"", "injection-up = \"enforce\"")
        ),
    );
    scene
        .run(&["-c", "never.toml", "check"])
        .is(2)
        .complains("`injection-up` cannot be enforced");
}

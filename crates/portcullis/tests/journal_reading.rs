//! The record as it is read: searched, shown, followed and exported, while the gate writes it and after.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use scene::Scene;
use scene::gate::{Gate, eventually};
use scene::record::{TOKEN, recording, station};
use serde_json::{Value, json};
use sim::Csms;

/// A gate that has recorded a station's first words: a boot, an authorisation, and a heartbeat.
async fn recorded() -> (Scene, Csms, Gate, sim::Conversation) {
    let (scene, csms) = recording("").await;
    scene.run(&["journal", "init"]).is(0);
    let gate = scene.serve();
    let talk = station(&gate).await;
    let boot = json!({ "chargePointVendor": "Vendor", "chargePointModel": "Model" });
    talk.call("BootNotification", boot).await.unwrap();
    talk.call("Authorize", json!({ "idTag": TOKEN }))
        .await
        .unwrap();
    talk.call("Heartbeat", json!({})).await.unwrap();
    eventually(
        || found(&scene, &["--action", "Heartbeat"]).len() == 2,
        || "the heartbeat and its answer are recorded".to_owned(),
    );
    (scene, csms, gate, talk)
}

/// What `journal search` finds.
fn found(scene: &Scene, more: &[&str]) -> Vec<Value> {
    let told = scene.run(&[&["journal", "search", "--format", "json"], more].concat());
    told.is(0);
    told.json().as_array().unwrap().clone()
}

fn actions(found: &[Value]) -> Vec<&str> {
    found
        .iter()
        .filter_map(|record| record["action"].as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_searched_shown_and_its_answer_put_to_it() {
    let (scene, _csms, gate, _talk) = recorded().await;
    let all = found(&scene, &["--station", "CP-1", "--oldest-first"]);
    assert_eq!(
        actions(&all),
        [
            "BootNotification",
            "BootNotification",
            "Authorize",
            "Authorize",
            "Heartbeat",
            "Heartbeat"
        ]
    );
    assert_eq!(found(&scene, &["--station", "CP-2"]), Vec::<Value>::new());
    assert_eq!(found(&scene, &["--since", "1h", "--limit", "1"]).len(), 1);
    assert_eq!(found(&scene, &["--until", "1h"]), Vec::<Value>::new());
    let call = all
        .iter()
        .find(|record| record["action"] == "Authorize")
        .unwrap();
    let number = call["number"].to_string();
    let shown = scene.run(&["journal", "show", &number, "--format", "json"]);
    let shown = shown.is(0).json();
    assert_eq!(
        (&shown["said"]["kind"], &shown["answer"]["kind"]),
        (&json!("call"), &json!("result"))
    );
    assert!(shown["latency_us"].as_u64().unwrap() > 0);
    scene
        .run(&["journal", "show", &number])
        .is(0)
        .says("answered by record")
        .says("\"Authorize\"");
    let exchanges = scene.run(&["journal", "search", "--exchanges", "--action", "Heartbeat"]);
    exchanges.is(0).says("CP-1").says("⤶").says(" ms");
    scene
        .run(&["journal", "show", "999999"])
        .is(3)
        .complains("there is no record 999999");
    // After the gate's end it is the same.
    gate.stop();
    assert_eq!(
        actions(&found(&scene, &["--station", "CP-1", "--oldest-first"])),
        actions(&all)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_for_somebody_says_what_for_and_that_is_recorded() {
    let (scene, _csms, gate, _talk) = recorded().await;
    scene
        .run(&["journal", "search", "--id", TOKEN])
        .is(2)
        .complains("--purpose");
    // Another spelling of the same token.
    let spelt = TOKEN.to_lowercase();
    let by_id = found(
        &scene,
        &[
            "--id",
            &spelt,
            "--purpose",
            "ticket 88",
            "--action",
            "Authorize",
        ],
    );
    assert!(!by_id.is_empty());
    let handle = by_id
        .iter()
        .find_map(|record| record["message"][3]["idTag"].as_str())
        .unwrap();
    assert!(handle.starts_with('z') && handle.len() == 20, "{handle}");
    assert_eq!(
        found(&scene, &["--handle", handle, "--action", "Authorize"]),
        by_id
    );
    let nobody = [
        "journal",
        "search",
        "--id",
        "DEADBEEF",
        "--purpose",
        "ticket 88",
    ];
    scene.run(&nobody).is(3).complains("nobody of tenant");
    let piped = [
        "journal",
        "search",
        "--id",
        "-",
        "--purpose",
        "ticket 89",
        "--format",
        "json",
    ];
    let piped = scene.run_with(&piped, &format!("{TOKEN}\n"));
    assert!(!piped.is(0).json().as_array().unwrap().is_empty());
    gate.stop();
    for file in scene.files_but(&["portcullis.db"]) {
        let text = String::from_utf8_lossy(&file.1).into_owned();
        assert!(
            !text.contains(TOKEN) && !text.contains(&spelt),
            "{}",
            file.0.display()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_exported_for_other_tools() {
    let (scene, _csms, _gate, _talk) = recorded().await;
    let export = |form: &str, to: &str| {
        scene.run(&[
            "journal",
            "export",
            "--as",
            form,
            "--to",
            to,
            "--purpose",
            "ticket 88",
        ])
    };
    let to = scene.path("day.jsonl").display().to_string();
    export("trace", &to)
        .is(0)
        .says("6 records")
        .says("no place in a trace");
    let lines = scene.read("day.jsonl");
    let trace: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(trace.len(), 6);
    for line in &trace {
        assert_eq!(line["schemaVersion"], "1.1");
        assert_eq!(line["ocppVersion"], "1.6");
        assert_eq!(line["chargePointId"], "CP-1");
        assert_eq!(line["meta"]["portcullis"]["pseudonymous"], true);
    }
    assert_eq!(trace[2]["action"], "Authorize");
    assert!(!lines.contains(TOKEN));
    export("trace", &to).is(4).complains("is there already");
    let csv = scene.path("day.csv").display().to_string();
    export("csv", &csv).is(0);
    let table = scene.read("day.csv");
    assert!(
        table.starts_with("record,at,kind,tenant,station,"),
        "{table}"
    );
    assert!(table.lines().count() > 6 && !table.contains(TOKEN));
    let unnamed = ["journal", "export", "--to", "-"];
    scene.run(&unnamed).is(2).complains("no purpose");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_the_record_sees_what_comes() {
    let (scene, _csms, _gate, talk) = recorded().await;
    scene
        .run(&["journal", "tail", "-n", "2"])
        .is(0)
        .says("Heartbeat");
    let mut command =
        scene.command(&["journal", "tail", "-n", "1", "--follow", "--format", "json"]);
    let mut tail = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut next =
        move || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    next();
    talk.call("DataTransfer", json!({ "vendorId": "Vendor" }))
        .await
        .unwrap();
    let seen = tokio::task::spawn_blocking(move || {
        // Acts of the gate itself may come in between.
        std::iter::repeat_with(next).find(|record| record["action"] == "DataTransfer")
    });
    let seen = tokio::time::timeout(std::time::Duration::from_secs(30), seen).await;
    tail.kill().unwrap();
    tail.wait().unwrap();
    assert_eq!(seen.unwrap().unwrap().unwrap()["station"], "CP-1");
}

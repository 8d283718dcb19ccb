//! Erasing somebody from the record, holding somebody back, and what retention forgets, as an
//! operator does it while the gate runs.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use scene::Scene;
use scene::gate::{Gate, eventually};
use scene::record::{TOKEN, durable, recording, station};
use serde_json::json;
use sim::Csms;

/// Opens the root at once, where a passphrase takes a second of work for each command; it guards
/// nothing.
const IDENTITY: &str = "AGE-SECRET-KEY-1QYPQXPQ9QCRSSZG2PVXQ6RS0ZQG3YYC5Z5TPWXQERGD3C8G7RUSQGPQYEE";
const OTHER: &str = "0499887766AABB";

/// A gate that keeps a record, in which both tokens have been seen.
async fn recorded() -> (Scene, Csms, Gate) {
    let (scene, csms) = recording("root_identity = \"identity.txt\"\n").await;
    scene.write("identity.txt", IDENTITY);
    scene.run(&["journal", "init"]).is(0);
    let gate = scene.serve();
    let talk = station(&gate).await;
    let before = durable(&gate);
    for token in [TOKEN, OTHER] {
        let told = talk.call("Authorize", json!({ "idTag": token })).await;
        told.unwrap();
    }
    eventually(
        || durable(&gate) >= before + 4,
        || "four more records".to_owned(),
    );
    (scene, csms, gate)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_erased_is_gone_and_whoever_is_held_stays() {
    let (scene, _csms, gate) = recorded().await;
    let hold = |more: &[&str]| scene.run(&[&["journal", "hold"], more].concat());

    // Another spelling of the same card.
    let spelled = "80:e6:d5:c4:b3:a2:04";
    let held = hold(&["--subject", spelled, "--reason", "dispute 114"]);
    held.is(0).says("held, one row");
    let listed = scene.run(&["--format", "json", "journal", "hold"]).json();
    let handle = listed[0]["handle"].as_str().unwrap().to_owned();
    assert_eq!(listed[0]["class"], "token");

    let erase = |who: &[&str]| scene.run(&[&["journal", "erase"], who].concat());
    erase(&["--subject", TOKEN])
        .is(4)
        .complains("a legal hold stands");
    erase(&["--handle", &handle]).is(4);
    erase(&["--handle", "nobody"])
        .is(2)
        .complains("that is no handle");
    erase(&[]).is(2).complains("nobody is named");

    let before = durable(&gate);
    // On standard input, where no other process sees it.
    let erased = scene.run_with(
        &["journal", "erase", "--subject", "-"],
        &format!("{OTHER}\n"),
    );
    erased.is(0).says("erased, one row");
    erase(&["--subject", OTHER])
        .is(3)
        .complains("knows nobody by that");

    // The gate that runs records what a command has done.
    eventually(
        || durable(&gate) > before,
        || "the erasure in the record".to_owned(),
    );

    let released = hold(&["--release", "--handle", &handle, "--reason", "settled"]);
    released.is(0).says("released, one row");
    erase(&["--handle", &handle]).is(0).says("case ");
    hold(&[]).is(0).says("No hold stands on anybody.");
    gate.stop();
    // Records and their proofs stay as they were.
    scene.run(&["journal", "verify"]).is(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_has_a_reason_and_nothing_is_forgotten_before_its_time() {
    let (scene, _csms, gate) = recorded().await;
    let unreasoned = scene.run(&["journal", "hold", "--subject", TOKEN]);
    unreasoned.is(2).complains("a hold without a reason");
    let plan = scene
        .run(&["--format", "json", "journal", "retention", "--now"])
        .json();
    assert_eq!(plan["carried_out"], true);
    assert_eq!(plan["identifiers"], 0);
    assert_eq!(plan["texts"], json!([]));
    assert_eq!(plan["records"], json!([]));
    let erased = scene.run(&["journal", "erase", "--subject", TOKEN]);
    erased.is(0);
    gate.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_handle_stands_for_is_said_for_a_purpose() {
    let (scene, _csms, gate) = recorded().await;
    let hold = [
        "journal",
        "hold",
        "--subject",
        TOKEN,
        "--reason",
        "to see its handle",
    ];
    scene.run(&hold).is(0);
    let listed = scene.run(&["--format", "json", "journal", "hold"]).json();
    let handle = listed[0]["handle"].as_str().unwrap();
    scene.run(&["journal", "reveal", handle]).is(2);
    let shown = scene.run(&["journal", "reveal", handle, "--purpose", "invoice 114"]);
    shown.is(0).says(TOKEN);
    let many = format!("{handle}\n").repeat(11);
    let asked = [
        "--format",
        "json",
        "journal",
        "reveal",
        "-",
        "--purpose",
        "audit",
    ];
    let waits = scene.run_with(&asked, &many).json();
    assert_eq!(waits["originals"], 11);
    let case = waits["case"].as_str().unwrap();
    let early = scene.run(&["journal", "reveal", "--case", case]);
    early.is(4).complains("nobody has agreed");
    let herself = scene.run(&["journal", "agree", case]);
    herself.is(4).complains("another person has to");
    scene.run(&["journal", "agree", "0000"]).is(3);
    gate.stop();
}

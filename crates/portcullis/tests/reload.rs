//! Changes while the gate runs: everything that can change does, all of it or nothing, and nobody who
//! is connected notices unless the change is about it.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use ocpp::Version;
use scene::gate::{Gate, eventually};
use scene::{Outcome, Scene};
use serde_json::json;
use sim::{Conversation, Ended};
use sim::{Csms, Station};

const PASSWORD: &str = "correct horse battery";

async fn csms() -> Csms {
    Csms::builder().start("127.0.0.1:0").await.unwrap()
}

async fn connect(gate: &Gate, identity: &str) -> Conversation {
    let station = Station::new(gate.plain(), identity).version(Version::V16);
    station.password(PASSWORD).connect().await.unwrap()
}

/// A gate with these stations, all of them connected.
async fn fleet(scene: &Scene, csms: &Csms, size: usize, more: &str) -> (Gate, Vec<Conversation>) {
    scene.configure(csms.url(), "", more);
    scene.register_all((1..=size).map(|number| format!("CP-{number}")), PASSWORD);
    let gate = scene.serve();
    let mut talks = Vec::new();
    for number in 1..=size {
        talks.push(connect(&gate, &format!("CP-{number}")).await);
    }
    gate.expect_metric(&format!("portcullis_sessions_live {size}"));
    (gate, talks)
}

/// Runs the program where waiting for it does not keep the stations from talking.
async fn run(scene: &Scene, arguments: &[&str]) -> Outcome {
    tokio::task::block_in_place(|| scene.run(arguments))
}

fn rewrite(scene: &Scene, from: &str, to: &str) {
    let config = scene.read("portcullis.toml");
    assert!(config.contains(from), "{from} is not in:\n{config}");
    scene.write("portcullis.toml", config.replace(from, to));
}

async fn is_served(talk: &Conversation) {
    talk.call("Heartbeat", json!({})).await.unwrap();
}

/// What the program did to the register's rows, as from another process, in one step.
fn in_store(scene: &Scene, change: &str) {
    let store = rusqlite::Connection::open(scene.path("portcullis.db")).unwrap();
    let change = format!("{change}; UPDATE revision SET number = number + 1");
    store
        .execute_batch(&format!("BEGIN; {change}; COMMIT"))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_can_change_does_and_the_rest_is_named() {
    let scene = Scene::new();
    let csms = csms().await;
    let more = "[controls]\nschema = \"observe\"\n[canaries]\nidentities = [\"TRAP-1\"]\n\
                [log]\nlevel = \"info\"";
    let (gate, talks) = fleet(&scene, &csms, 1, more).await;
    let unchanged = run(&scene, &["reload", "--format", "json"]).await;
    assert_eq!(unchanged.is(0).json()["changed"], json!([]));

    rewrite(&scene, "schema = \"observe\"", "schema = \"enforce\"");
    rewrite(&scene, "TRAP-1", "TRAP-2");
    rewrite(&scene, "level = \"info\"", "level = \"debug\"");
    rewrite(
        &scene,
        "workers = 1",
        "workers = 2\nhead_deadline_seconds = 9",
    );
    for file in ["ecdsa.pem", "ecdsa.key", "rsa.pem", "rsa.key"] {
        std::fs::remove_file(scene.path(&format!("ca/gate-{file}"))).unwrap();
    }
    run(&scene, &["ca", "issue", "server", "localhost"])
        .await
        .is(0);
    let reloaded = run(&scene, &["reload", "--format", "json"]).await;
    let reloaded = reloaded.is(0).json();
    // The watch on the files may have been quicker with some of it; then the log says so.
    let changed = format!("{} {}", reloaded["changed"], gate.log());
    for part in [
        "[controls], [messages]",
        "[canaries]",
        "[limits]",
        "[log] level",
        "certificates of listener 127.0.0.1:0",
    ] {
        assert!(changed.contains(part), "{part} is not in {changed}");
    }
    assert_eq!(reloaded["needs_restart"], json!(["[limits] workers"]));
    assert_eq!(reloaded["sessions"]["ended"], 0);
    gate.expect_line("reloaded (asked to)");
    let ready = || gate.ask("/readyz");
    eventually(
        || ready().status == 200 && ready().body.contains("only read at a start"),
        || ready().body,
    );

    // For those who are here, and for those who come.
    is_served(&talks[0]).await;
    let faulty = json!({ "idTag": "longer than twenty characters" });
    assert!(talks[0].call("Authorize", faulty).await.is_err());
    let trapped = Station::new(gate.plain(), "TRAP-2").version(Version::V16);
    assert!(trapped.password(PASSWORD).connect().await.is_err());
    gate.expect_line("somebody tries identities out");
    let trusted = |file: &str| scene::trust(&scene.path(file));
    // The new certificate is for one name only.
    let by_tls = |url: String| {
        let station = Station::new(url, "CP-1").version(Version::V16);
        let station = station.password(PASSWORD);
        station.tls(trusted("ca/ca.pem"))
    };
    run(&scene, &["session", "end", "CP-1"]).await.is(0);
    gate.expect_metric("portcullis_sessions_live 0");
    assert!(by_tls(gate.tls()).connect().await.is_err());
    let by_name = gate.tls().replace("127.0.0.1", "localhost");
    by_tls(by_name).connect().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_changes_nothing_and_says_what_is_wrong() {
    let scene = Scene::new();
    let csms = csms().await;
    let (gate, talks) = fleet(&scene, &csms, 1, "[controls]\nschema = \"observe\"").await;
    rewrite(&scene, "schema = \"observe\"", "schema = \"enforced\"");
    let wrong = run(&scene, &["reload", "--format", "json"]).await;
    let problem = &wrong.is(2).error_json()["problems"][0];
    assert!(problem["line"].as_u64().unwrap() > 1, "{problem}");
    assert!(problem["remedy"].as_str().unwrap().len() > 5, "{problem}");
    gate.expect_line("not reloaded (asked to)");
    eventually(
        || {
            gate.ask("/readyz")
                .body
                .contains("what was read before is in force")
        },
        || gate.ask("/readyz").body,
    );
    assert_eq!(
        gate.ask("/readyz").status,
        200,
        "a working gate stays ready"
    );
    gate.expect_metric("portcullis_condition{subject=\"configuration\"} 1");

    // A file that the configuration names is wrong: nothing of the rest comes into force either.
    rewrite(&scene, "schema = \"enforced\"", "schema = \"enforce\"");
    let key = scene.read("ca/gate-rsa.key");
    scene.write("ca/gate-rsa.key", "no key");
    run(&scene, &["reload"])
        .await
        .is(2)
        .complains("there is no private key in it");
    let faulty = json!({ "idTag": "longer than twenty characters" });
    talks[0].call("Authorize", faulty.clone()).await.unwrap();

    // And by itself, when it is right again.
    scene.write("ca/gate-rsa.key", key);
    gate.expect_line("portcullis.toml is in force");
    assert!(talks[0].call("Authorize", faulty).await.is_err());
    gate.expect_metric("portcullis_condition{subject=\"configuration\"} 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_csms_is_reached_by_all_once_somebody_has_said_that_it_is_meant() {
    let scene = Scene::new();
    let (first, second) = (csms().await, csms().await);
    let (gate, talks) = fleet(&scene, &first, 3, "").await;
    rewrite(&scene, first.url(), second.url());
    let asked = run(&scene, &["reload"]).await;
    asked
        .is(4)
        .complains("this would end 3 of 3 sessions (3 route leads elsewhere)")
        .complains("reload --force");
    gate.expect_line("not reloaded (asked to): it would end 3 of 3 sessions");
    eventually(
        || gate.ask("/readyz").body.contains("it is not in force"),
        || gate.ask("/readyz").body,
    );
    for talk in &talks {
        is_served(talk).await;
    }
    // Whoever comes anew still meets the old.
    run(&scene, &["session", "end", "CP-1"]).await.is(0);
    talks[0].over().await;
    is_served(&connect(&gate, "CP-1").await).await;
    assert_eq!(second.handshakes().len(), 0);

    let forced = run(&scene, &["reload", "--force"]).await;
    forced.is(0).says("In force now: routes.");
    for talk in &talks[1..] {
        assert_eq!(talk.over().await, Ended::Closed(Some(1001), String::new()));
    }
    gate.expect_metric("portcullis_sessions_live 0");
    is_served(&connect(&gate, "CP-1").await).await;
    assert_eq!(second.handshakes().len(), 1);
    run(&scene, &["route", "list"])
        .await
        .is(0)
        .says(second.url());
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_fleet_taken_out_is_held_back_until_it_is_undone_or_confirmed() {
    let scene = Scene::new();
    let csms = csms().await;
    let (gate, talks) = fleet(&scene, &csms, 4, "").await;
    // One station may always be taken out.
    run(&scene, &["station", "disable", "CP-4"]).await.is(0);
    talks[3].expect_close().await.unwrap();

    let out = "UPDATE station SET enabled = 0 WHERE identity IN ('CP-1', 'CP-2')";
    in_store(&scene, out);
    gate.expect_line("is held back: it would end 2 of 3 sessions (2 disabled)");
    gate.expect_metric("portcullis_condition{subject=\"store portcullis.db\"} 1");
    assert_eq!(gate.ask("/readyz").status, 200);
    for talk in &talks[..3] {
        is_served(talk).await;
    }
    // Those who lose their connection come back: that is what is held back.
    talks[0].die().unwrap();
    gate.expect_metric("portcullis_sessions_live 2");
    let back = connect(&gate, "CP-1").await;
    run(&scene, &["reload"]).await.is(4).complains("2 of");

    in_store(&scene, "UPDATE station SET enabled = 1");
    gate.expect_line("the register has changed");
    gate.expect_metric("portcullis_condition{subject=\"store portcullis.db\"} 0");
    is_served(&back).await;
    is_served(&connect(&gate, "CP-4").await).await;

    in_store(&scene, out);
    eventually(|| gate.lines_with("is held back") == 2, || gate.log());
    let forced = run(&scene, &["reload", "--force", "--format", "json"]).await;
    assert_eq!(forced.is(0).json()["sessions"]["by"]["disabled"], 2);
    back.expect_close().await.unwrap();
    talks[1].expect_close().await.unwrap();
    is_served(&talks[2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_register_is_held_back_though_nobody_is_connected() {
    let scene = Scene::new();
    let csms = csms().await;
    let (gate, talks) = fleet(&scene, &csms, 2, "").await;
    for talk in talks {
        talk.close(Some(1000)).unwrap();
        talk.over().await;
    }
    gate.expect_metric("portcullis_sessions_live 0");
    in_store(&scene, "DELETE FROM station");
    gate.expect_line("is held back: it would end 0 of 0 sessions");
    is_served(&connect(&gate, "CP-1").await).await;
    run(&scene, &["reload", "--force"]).await.is(0);
    gate.expect_metric("portcullis_sessions_live 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_ends_the_session_of_the_old_one() {
    let scene = Scene::new();
    let csms = csms().await;
    let (gate, talks) = fleet(&scene, &csms, 2, "").await;
    // In one step, as whoever replaces a row does it.
    in_store(
        &scene,
        "UPDATE station SET (fast_salt, fast_tag) = \
         (SELECT fast_salt, fast_tag FROM station WHERE identity = 'CP-2') \
         WHERE identity = 'CP-1'",
    );
    talks[0].expect_close().await.unwrap();
    is_served(&talks[1]).await;
    gate.expect_metric("portcullis_sessions_live 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_ca_that_vouches_for_less_ends_who_came_by_it_and_resumes_nobody() {
    let scene = Scene::new();
    let csms = csms().await;
    let (gate, talks) = fleet(&scene, &csms, 1, "").await;
    let issue = ["ca", "issue", "station", "CERT-1", "--cpo", "Example"];
    run(&scene, &issue).await.is(0);
    let add = ["station", "add", "CERT-1", "--certificate-name"];
    run(&scene, &add).await.is(0);
    gate.expect_line("the register has changed");
    let pem = |name: &str| scene.path(&format!("ca/{name}"));
    let (chain, key) = (pem("station-CERT-1.pem"), pem("station-CERT-1.key"));
    // One client's TLS for both visits, so that the second one would be resumed.
    let tls = scene::client_tls(&pem("ca.pem"), &chain, &key);
    let station = Station::new(gate.tls(), "CERT-1").version(Version::V16);
    let station = station.tls(tls);
    let by_certificate = station.connect().await.unwrap();
    is_served(&by_certificate).await;

    // A root more is nobody's business.
    let roots = scene.read("ca/ca.pem");
    let other = sim::ca::Authority::new("Other").unwrap();
    scene.write(
        "client.pem",
        format!("{roots}\n{}", other.certificate_pem()),
    );
    rewrite(&scene, "\"ca/ca.pem\"", "\"client.pem\"");
    run(&scene, &["reload"])
        .await
        .is(0)
        .says("client CA of listener");
    is_served(&by_certificate).await;

    scene.write("client.pem", other.certificate_pem());
    gate.expect_line("reloaded (a file has changed)");
    by_certificate.expect_close().await.unwrap();
    is_served(&talks[0]).await;
    assert!(station.connect().await.is_err(), "its CA is gone");
}

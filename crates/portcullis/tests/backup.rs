//! What is backed up can be put back, and nothing is lost on the way.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use scene::Scene;

const PASSWORD: &str = "correct horse battery";

fn scene() -> Scene {
    let scene = Scene::new();
    scene.configure("ws://127.0.0.1:9", "", "");
    scene.register("CP-1", PASSWORD, &[]);
    scene
}

#[test]
fn a_store_comes_back_as_it_was_backed_up_while_the_gate_ran() {
    let scene = scene();
    let gate = scene.serve();
    scene
        .run(&["backup", "backups/monday"])
        .is(0)
        .says("1 stations");
    scene
        .run(&["backup", "backups/monday"])
        .is(4)
        .complains("there already");
    let mode = std::fs::metadata(scene.path("backups/monday"))
        .unwrap()
        .permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o700
    );
    assert!(!scene.path("backups/monday.part").exists());

    scene.register("CP-2", PASSWORD, &[]);
    scene
        .run(&["restore", "--force", "backups/monday"])
        .is(4)
        .complains("a gate runs");
    assert_eq!(gate.stop().code, 0);
    scene
        .run(&["restore", "backups/monday"])
        .is(4)
        .complains("--force");
    scene
        .run(&["restore", "--force", "backups/monday"])
        .is(0)
        .says("1 stations");
    let list = scene.run(&["station", "list"]);
    assert!(
        list.out.contains("CP-1") && !list.out.contains("CP-2"),
        "{}",
        list.out
    );
    assert!(scene.path("portcullis.db.replaced").exists());
    let gate = scene.serve();
    gate.expect_ready(false);
}

#[test]
fn a_backup_that_was_changed_or_is_of_another_key_is_refused_and_nothing_is_lost() {
    let scene = scene();
    scene.run(&["backup", "good"]).is(0);
    scene.run(&["backup", "bent"]).is(0);
    let mut bytes = std::fs::read(scene.path("bent/portcullis.db")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    scene.write("bent/portcullis.db", bytes);
    scene
        .run(&["restore", "--force", "bent"])
        .is(2)
        .complains("not as it was");
    scene.run(&["restore", "--force", "nowhere"]).is(1);

    let other = Scene::new();
    other.configure("ws://127.0.0.1:9", "", "");
    other.register("CP-9", PASSWORD, &[]);
    let from = scene.path("good").display().to_string();
    other
        .run(&["restore", "--force", &from])
        .complains("was made with key");
    other.run(&["station", "show", "CP-9"]).is(0);
}

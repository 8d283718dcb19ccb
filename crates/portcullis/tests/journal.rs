//! The record as an operator meets it: its keys, its commands, and what the gate writes into it.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use scene::Scene;

/// A scene with a record, whose keys are not made yet.
fn with_journal(more: &str) -> Scene {
    let scene = Scene::new();
    let text = scene.read("portcullis.toml");
    scene.write("portcullis.toml", format!("{text}\n[journal]\n{more}"));
    scene
}

#[test]
fn the_root_is_drawn_once_and_for_its_owner_alone() {
    let scene = with_journal("");
    let made = scene.run(&["journal", "init"]);
    made.is(0)
        .says("keys/journal.age")
        .says("keys/journal.passphrase");
    let root = scene.read("keys/journal.age");
    assert!(root.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
    for secret in ["keys/journal.age", "keys/journal.passphrase"] {
        let mode = fs::metadata(scene.path(secret))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{secret}");
    }
    scene.run(&["journal", "init"]).is(0);
    assert_eq!(scene.read("keys/journal.age"), root, "what is there stays");
    assert!(scene.path("journal/keys/log.key").exists());
}

#[test]
fn each_thing_wrong_with_the_root_says_what_helps() {
    let scene = with_journal("");
    scene.run(&["journal", "init"]).is(0);
    let passphrase = scene.read("keys/journal.passphrase");
    scene.write("keys/journal.passphrase", "another one\n");
    let wrong = scene.run(&["journal", "init"]);
    wrong.is(1).complains("the passphrase does not open");
    scene.write("keys/journal.passphrase", passphrase);
    // Another root would seal what the first one's owner could never open.
    fs::rename(scene.path("keys/journal.age"), scene.path("kept.age")).unwrap();
    scene.run(&["journal", "init"]).is(1);
    assert!(scene.path("journal/keys/log.key").exists());
}

#[test]
fn without_a_section_there_is_no_record() {
    let scene = Scene::new();
    let told = scene.run(&["journal", "init"]);
    told.is(2).complains("has no [journal] section");
}

#[test]
fn settings_at_odds_with_one_another_are_told_by_their_line() {
    for (more, what) in [
        (
            "subject_keys = \"journal/keks\"",
            "would be backed up with it",
        ),
        (
            "root = \"env:ROOT\"\nroot_identity = \"me\"",
            "holds the root itself",
        ),
        (
            "root_passphrase = \"a\"\nroot_identity = \"b\"",
            "are named",
        ),
        ("origin = \"two words\"", "`origin` is"),
        ("commit_ms = 5", "`commit_ms` is 5"),
        ("texts_days = 0", "`texts_days` is 0"),
    ] {
        let told = with_journal(more).run(&["journal", "init"]);
        told.is(2).complains(what).complains("portcullis.toml:");
    }
}

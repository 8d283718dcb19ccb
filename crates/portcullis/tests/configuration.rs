//! From nothing to a configuration that is right, and what is said of one that is not.

mod scene;

use scene::Scene;

#[test]
fn from_nothing_to_a_checked_configuration() {
    let scene = Scene::empty();
    scene
        .run(&["check"])
        .is(2)
        .complains("portcullis.toml: cannot be read")
        .complains("init");
    scene.run(&["init"]).is(0).says("keys/portcullis.key");
    scene
        .run(&["init"])
        .is(4)
        .complains("there is a configuration already");

    let checked = scene.run(&["check"]);
    checked
        .is(2)
        .complains("portcullis.toml:14: ca/gate-ecdsa.pem");
    checked.complains("portcullis.toml:15: ca/gate-rsa.key");

    scene.run(&["ca", "init"]).is(0);
    scene.run(&["ca", "issue", "server", "localhost"]).is(0);
    scene
        .run(&["check"])
        .is(0)
        .says("1 listeners, 1 routes, 2 certificates");
    let json = scene.run(&["check", "--format", "json"]).is(0).json();
    assert_eq!(json["ok"], true);
}

#[test]
fn every_mistake_is_told_at_once_with_file_line_and_remedy() {
    let scene = Scene::new();
    let good = scene.read("portcullis.toml");
    let bad = good
        .replace("address = \"0.0.0.0:8443\"", "adress = \"0.0.0.0:8443\"")
        .replace("# schema = \"observe\"", "schema = \"enforced\"")
        .replace("upstream = \"ws://", "upstream = \"http://");
    scene.write("gate.toml", bad);
    let line_of = |text: &str| good.lines().position(|line| line.contains(text)).unwrap() + 1;
    let checked = scene.run(&["check", "--config", "gate.toml"]);
    checked.is(2);
    for (what, line) in [
        (
            "[[listener]] has no setting `adress`",
            line_of("0.0.0.0:8443"),
        ),
        ("`upstream` is \"http://", line_of("ws://127.0.0.1")),
        ("`schema` is \"enforced\"", line_of("# schema =")),
    ] {
        checked.complains(&format!("error: gate.toml:{line}: {what}"));
    }
    checked
        .complains("→ Did you mean `address`?")
        .complains("→ Did you mean `enforce`?");

    let json = scene
        .run(&["--format", "json", "check", "-c", "gate.toml"])
        .is(2)
        .error_json();
    assert_eq!(json["exit"], 2);
    assert_eq!(json["kind"], "input");
    let problems = json["problems"].as_array().unwrap();
    assert!(problems.len() >= 3, "{problems:?}");
    assert!(problems.iter().all(|problem| {
        problem["line"].is_u64() && problem["file"] == "gate.toml" && problem["remedy"] != ""
    }));
}

#[test]
fn files_that_do_not_go_together_are_told_at_their_line() {
    let scene = Scene::new();
    let good = scene.read("portcullis.toml");
    scene.write(
        "swapped.toml",
        good.replace("\"ca/gate-rsa.key\"", "\"ca/gate-ecdsa.key\""),
    );
    let swapped = scene.run(&["check", "-c", "swapped.toml"]);
    swapped
        .is(2)
        .complains("swapped.toml:15:")
        .complains("do not go together");

    scene.write("ca/empty.pem", "nothing here");
    scene.write(
        "empty.toml",
        good.replace("\"ca/gate-rsa.pem\"", "\"ca/empty.pem\""),
    );
    scene
        .run(&["check", "-c", "empty.toml"])
        .is(2)
        .complains("there is no certificate in it");
    scene.write(
        "nokey.toml",
        good.replace("\"ca/gate-rsa.key\"", "\"ca/gate-rsa.pem\""),
    );
    scene
        .run(&["check", "-c", "nokey.toml"])
        .is(2)
        .complains("there is no private key in it");

    let fixed = good.replace(
        "# credential = \"forward\"",
        "credential = \"fixed\"\npassword_file = \"secret\"",
    );
    scene.write("fixed.toml", fixed);
    scene
        .run(&["check", "-c", "fixed.toml"])
        .is(2)
        .complains("secret: No such file");
    scene.write("secret", "\n");
    scene
        .run(&["check", "-c", "fixed.toml"])
        .is(2)
        .complains("the password is empty");
    scene.write("secret", "open sesame\n");
    scene.run(&["check", "-c", "fixed.toml"]).is(0);
}

#[test]
fn a_lost_or_different_key_is_told_as_such() {
    let scene = Scene::new();
    scene.run(&["station", "add", "CP-1", "--generate"]).is(0);
    std::fs::rename(scene.path("keys/portcullis.key"), scene.path("kept.key")).unwrap();
    let lost = scene.run(&["station", "list"]);
    lost.is(3)
        .complains("there is no key file")
        .complains("Restore it");
    assert!(
        !scene.path("keys/portcullis.key").exists(),
        "a lost key is not replaced in silence"
    );

    std::fs::rename(scene.path("portcullis.toml"), scene.path("kept.toml")).unwrap();
    scene.run(&["init"]).is(0);
    scene
        .run(&["station", "list"])
        .is(1)
        .complains("was made with key")
        .complains("Bring back");
    scene.write("keys/portcullis.key", "something else");
    scene
        .run(&["station", "list"])
        .is(2)
        .complains("not a key file");
    std::fs::rename(scene.path("kept.key"), scene.path("keys/portcullis.key")).unwrap();
    scene.run(&["station", "list"]).is(0).says("CP-1");
}

#[test]
fn a_wrong_command_line_is_told_with_code_2() {
    let scene = Scene::empty();
    scene
        .run(&["station", "ad", "CP-1"])
        .is(2)
        .complains("similar subcommand");
    scene
        .run(&["station", "add", "CP-1"])
        .is(2)
        .complains("--generate");
    scene
        .run(&["station", "add", "CP-1", "--generate", "--password-text"])
        .is(2);
    scene
        .run(&["--help"])
        .is(0)
        .says("Exit codes:")
        .says("Getting started:");
    scene
        .run(&["station", "import", "--help"])
        .is(0)
        .says("password_hex");
}

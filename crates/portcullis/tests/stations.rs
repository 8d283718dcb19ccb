//! The register from the command line: one station, many, and nothing by halves.

mod scene;

use scene::Scene;

#[test]
fn a_station_is_added_shown_switched_and_forgotten() {
    let scene = Scene::new();
    let added = scene.run(&["--format", "json", "station", "add", "CP-1", "--generate"]);
    let json = added.is(0).json();
    let password = json["password"].as_str().unwrap();
    assert_eq!(password.len(), 40);
    assert!(password.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(json["station"]["password_check"], "hex, fast check");

    scene
        .run(&["station", "add", "CP-1", "--generate"])
        .is(4)
        .complains("already registered");
    scene
        .run(&["station", "add", "cp-1", "--generate"])
        .is(4)
        .complains("differs only in case");
    scene
        .run(&["station", "add", "cp-1", "--tenant", "other", "--generate"])
        .is(0);

    scene.run(&["station", "disable", "CP-1"]).is(0);
    let shown = scene
        .run(&["station", "show", "CP-1", "--format", "json"])
        .is(0)
        .json();
    assert_eq!(shown["enabled"], false);
    scene.run(&["station", "enable", "CP-1"]).is(0);
    let list = scene
        .run(&["station", "list", "--format", "json"])
        .is(0)
        .json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    scene
        .run(&["station", "list", "--tenant", "other"])
        .is(0)
        .says("cp-1");

    scene.run(&["station", "remove", "CP-1"]).is(0);
    for command in ["show", "remove", "enable"] {
        scene
            .run(&["station", command, "CP-1"])
            .is(3)
            .complains("no station CP-1");
    }
}

#[test]
fn passwords_come_by_standard_input_and_lie_open_nowhere() {
    let scene = Scene::new();
    let digits = "9f112233445566778899aabbccddeeff00112233";
    let drawn = scene
        .run(&["--format", "json", "station", "add", "D", "--generate"])
        .json();
    let drawn = drawn["password"].as_str().unwrap().to_owned();
    let add = |arguments: &[&str], input: &str| {
        scene.run_with(&[&["station", "add"], arguments].concat(), input)
    };
    add(&["T", "--password-text"], "correct horse battery\n").is(0);
    add(
        &["H", "--password-hex", "--machine-made"],
        &format!("{digits}\r\n"),
    )
    .is(0);
    add(
        &["U", "--password-text", "--upstream-password"],
        "one-of-the-gate-itself\nshown-to-csms\n",
    )
    .is(0);
    add(&["S", "--password-hex"], "0011\n")
        .is(2)
        .complains("hexadecimal");
    add(&["E", "--password-text"], "")
        .is(2)
        .complains("no password on standard input");
    add(&["M", "--password-text", "--machine-made"], "short\n")
        .is(2)
        .complains("16 bytes");
    add(&["a:b", "--password-text"], "x\n")
        .is(2)
        .complains("colon");

    let shown = scene
        .run(&["station", "show", "U", "--format", "json"])
        .json();
    assert_eq!(shown["has_upstream_password"], true);
    let files = scene.files_but(&[]);
    assert!(
        files
            .iter()
            .any(|(path, bytes)| path.ends_with("portcullis.db") && bytes.len() > 8192)
    );
    let octets: Vec<u8> = (0..20)
        .map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).unwrap())
        .collect();
    let secrets: [&[u8]; 6] = [
        b"correct horse",
        digits.as_bytes(),
        &octets,
        b"one-of-the-gate-itself",
        b"shown-to-csms",
        drawn.as_bytes(),
    ];
    for (path, bytes) in files {
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{} holds a secret", path.display());
        }
    }
}

#[test]
fn certificates_are_registered_by_fingerprint_or_by_name() {
    let scene = Scene::new();
    scene
        .run(&["ca", "issue", "station", "CP-1", "--cpo", "Example"])
        .is(0);
    let file = "ca/station-CP-1.pem";
    scene
        .run(&["station", "add", "CP-1", "--certificate", file])
        .is(0);
    let shown = scene
        .run(&["station", "show", "CP-1", "--format", "json"])
        .json();
    assert_eq!(shown["certificate_sha256"].as_str().unwrap().len(), 64);
    let again = scene.run(&["station", "add", "CP-2", "--certificate", file]);
    again.is(4).complains("already that of station CP-1");
    scene
        .run(&["station", "add", "a:b", "--certificate-name"])
        .is(0);
    scene
        .run(&["station", "add", "X", "--certificate", "portcullis.toml"])
        .is(2);
    let only_two = [
        "station",
        "add",
        "a b",
        "--certificate-name",
        "--versions",
        "2.0.1",
    ];
    scene
        .run(&only_two)
        .is(2)
        .complains("OCPP 2.0.1 does not allow");
    let unspoken = [
        "station",
        "add",
        "Y",
        "--generate",
        "--versions",
        "2.1",
        "--unnamed",
        "1.6",
    ];
    scene.run(&unspoken).is(2).complains("which it may not");
}

#[test]
fn a_csv_file_is_imported_whole() {
    let scene = Scene::new();
    scene.write(
        "fleet.csv",
        "\u{feff}identity,password_hex,versions,enabled,machine_made,tenant\n\
         CP-1,9f112233445566778899aabbccddee22,1.6,true,true,\n\
         \"CP,2\",00112233445566778899aabbccddee00,1.6 2.0.1,false,yes,blue\n\
         \n\
         CP-3,00112233445566778899aabbccddee11,,,,\n",
    );
    let imported = scene.run(&["station", "import", "fleet.csv", "--format", "json"]);
    assert_eq!(imported.is(0).json()["imported"], 3);
    let list = scene.run(&["station", "list", "--format", "json"]).json();
    assert_eq!(list[0]["identity"], "CP,2");
    assert_eq!(list[0]["enabled"], false);
    assert_eq!(list[1]["versions"], serde_json::json!(["1.6"]));
    assert_eq!(list[2]["password_check"], "hex, argon2id");
    scene
        .run(&["station", "import", "fleet.csv"])
        .is(4)
        .complains("fleet.csv:2: station CP-1");
}

#[test]
fn every_bad_row_is_told_with_its_line_and_nothing_is_imported() {
    let scene = Scene::new();
    scene.write(
        "bad.csv",
        "identity,password_text,password_hex,versions\n\
         good,a password,,\n\
         ,a password,,\n\
         a/b,a password,,\n\
         both,a password,9f112233445566778899aabbccddee22,\n\
         none,,,\n\
         hex,,0011,\n\
         version,a password,,1.5\n\
         short,a password\n\
         Good,a password,,\n\
         also good,a password,,\n",
    );
    let refused = scene.run(&["station", "import", "bad.csv"]);
    refused.is(2);
    for (line, what) in [
        (3, "the identity is empty"),
        (4, "holds a character"),
        (5, "more than one credential"),
        (6, "names no credential"),
        (8, "\"1.5\" is no version"),
        (9, "has 2 fields, and the header 4"),
        (10, "is on line 2 already"),
    ] {
        refused.complains(&format!("error: bad.csv:{line}: "));
        let told = refused
            .err
            .lines()
            .find(|told| told.contains(&format!("bad.csv:{line}: ")));
        assert!(told.unwrap().contains(what), "{told:?} does not say {what}");
    }
    refused.complains("nothing was imported: 7 problems");
    assert!(!refused.err.contains("bad.csv:2:"), "{}", refused.err);
    let list = scene.run(&["station", "list", "--format", "json"]).json();
    assert_eq!(
        list.as_array().unwrap().len(),
        0,
        "something was imported by halves"
    );

    scene.write(
        "hex.csv",
        "identity,password_hex\ngood,9f112233445566778899aabbccddee22\nbad,0011\n",
    );
    scene
        .run(&["station", "import", "hex.csv"])
        .is(2)
        .complains("hex.csv:3: the password is not");
    scene.write("head.csv", "identity,pasword_text\na,b\n");
    scene
        .run(&["station", "import", "head.csv"])
        .is(2)
        .complains("Did you mean `password_text`?");
    scene.write("twice.csv", "identity,identity\na,b\n");
    scene
        .run(&["station", "import", "twice.csv"])
        .is(2)
        .complains("is there twice");
    scene.write("noid.csv", "tenant,password_text\na,b\n");
    scene
        .run(&["station", "import", "noid.csv"])
        .is(2)
        .complains("no column `identity`");
    scene
        .run(&["station", "import", "missing.csv"])
        .is(1)
        .complains("missing.csv:");
    assert_eq!(
        scene.run(&["station", "list", "--format", "json"]).json(),
        serde_json::json!([])
    );
}

#[test]
fn a_json_file_has_the_same_rows_and_the_same_rules() {
    let scene = Scene::new();
    scene.write(
        "fleet.json",
        "[\n  {\"identity\": \"CP-1\", \"password_text\": \"a password\", \"versions\": [\"1.6\"]},\n  \
         {\"identity\": \"CP-2\",\n   \"certificate_name\": true, \"tenant\": null}\n]\n",
    );
    scene
        .run(&["station", "import", "fleet.json", "--allow-weak"])
        .is(0)
        .says("2 stations are registered");
    scene.write(
        "bad.json",
        "[\n{\"identity\": \"CP-3\", \"certificate_name\": true},\n{\"identity\": \"CP-4\",\n\
         \"certficate_name\": true},\n17,\n{\"identity\": {}, \"certificate_name\": true}\n]",
    );
    let refused = scene.run(&["station", "import", "bad.json"]);
    refused
        .is(2)
        .complains("bad.json:3: there is no column `certficate_name`");
    refused
        .complains("bad.json:5: this is no JSON object")
        .complains("bad.json:6:");
    scene.write("broken.json", "[\n{\"identity\": \"CP-3\"\n");
    scene
        .run(&["station", "import", "broken.json"])
        .is(2)
        .complains("broken.json:3:");
    let list = scene.run(&["station", "list", "--format", "json"]).json();
    assert_eq!(list.as_array().unwrap().len(), 2);
}

#[test]
fn drawn_passwords_are_shown_once_as_csv() {
    let scene = Scene::new();
    scene.write(
        "fleet.csv",
        "identity,certificate_name\nCP-1,\n\"CP,2\",\nCP-3,true\n",
    );
    let imported = scene.run(&["station", "import", "fleet.csv", "--generate"]);
    imported.is(0).complains("shown this once");
    let lines: Vec<&str> = imported.out.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], "identity,tenant,password");
    assert!(lines[1].starts_with("CP-1,default,") && lines[1].len() == 13 + 40);
    assert!(lines[2].starts_with("\"CP,2\",default,"));
}

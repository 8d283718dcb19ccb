//! No id is forgotten: docs/threat-model.md says which scene shows what, and is held to the scenes
//! that are here. A scene is called `<id>_<what happens>_at_<mode>`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Every id that is to be shown at enforce, and at observe or why not.
#[rustfmt::skip]
const WANTED: [(&str, Observe); 38] = [
    ("A01", Observe::Never(IDENTITY)), ("A02", Observe::Never(SEAT)),
    ("A03", Observe::Never(SEAT)),     ("A04", Observe::Never(IDENTITY)),
    ("A06", Observe::Never(IDENTITY)), ("A07", Observe::Shown),
    ("A08", Observe::Never(IDENTITY)), ("A09", Observe::Never(TRANSPORT)),
    ("A10", Observe::Never(TRANSPORT)), ("A12", Observe::Never(IDENTITY)),
    ("A13", Observe::Never(IDENTITY)), ("A14", Observe::Shown),
    ("A15", Observe::Never(IDENTITY)), ("A16", Observe::Never(HANDSHAKE)),
    ("A17", Observe::Never(HANDSHAKE)), ("A18", Observe::Never(LIMIT)),
    ("A19", Observe::Never(LIMIT)),    ("A20", Observe::Never(LIMIT)),
    ("A22", Observe::Never(HANDSHAKE)), ("B01", Observe::Never(HARD)),
    ("B02", Observe::Shown), ("B03", Observe::Shown), ("B04", Observe::Never(HARD)),
    ("B05", Observe::Shown), ("B06", Observe::Shown), ("B07", Observe::Never(HARD)),
    ("B08", Observe::Shown), ("B09", Observe::Shown), ("B10", Observe::Shown),
    ("B11", Observe::Shown), ("B12", Observe::Shown), ("B13", Observe::Shown),
    ("B16", Observe::Shown), ("C04", Observe::Shown), ("C07", Observe::Shown),
    ("C08", Observe::Shown), ("D03", Observe::Never(PART)), ("E09", Observe::Shown),
];

/// Ids whose control is not built yet. This list only gets shorter.
const OPEN: [&str; 0] = [];

/// Whether there is a mode in which it passes and is counted.
#[derive(Clone, Copy)]
enum Observe {
    Shown,
    /// And why not.
    Never(&'static str),
}

const IDENTITY: &str = "none: identity fails closed";
const SEAT: &str = "none: a session that is taken is not given back";
const TRANSPORT: &str = "none: nothing speaks it";
const HANDSHAKE: &str = "none: what goes on to the CSMS is made of parsed values only";
const LIMIT: &str = "none: a limit holds or is none";
const PART: &str = "none: the gate takes part, and refuses nothing";
const HARD: &str = "none: what cannot be read is refused in every mode";

/// The names of the scenes of this folder, by id and mode.
fn scenes() -> BTreeMap<(String, String), Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/threats");
    let mut scenes: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        // A function is a scene only where the test runner sees it.
        for (_, after) in text
            .match_indices("#[tokio::test")
            .map(|(at, _)| text.split_at(at))
        {
            let Some(name) = after
                .lines()
                .find_map(|line| line.strip_prefix("async fn "))
                .and_then(|line| line.split('(').next())
            else {
                continue;
            };
            let (what, mode) = name.rsplit_once("_at_").unwrap_or((name, ""));
            assert!(matches!(mode, "enforce" | "observe"), "{name}: which mode?");
            let id = what.split('_').next().unwrap().to_uppercase();
            let key = (id, mode.to_owned());
            scenes.entry(key).or_default().push(what.to_owned());
        }
    }
    scenes
}

fn shown(scenes: &BTreeMap<(String, String), Vec<String>>, id: &str, mode: &str) -> Option<String> {
    let names = scenes.get(&(id.to_owned(), mode.to_owned()))?;
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    Some(names.join(", "))
}

#[test]
fn every_id_has_its_scenes_and_the_threat_model_names_them() {
    let scenes = scenes();
    let mut table = String::from("| id | at enforce | at observe |\n|---|---|---|\n");
    for (id, observe) in WANTED {
        let open = OPEN.contains(&id);
        let enforced = shown(&scenes, id, "enforce");
        let observed = shown(&scenes, id, "observe");
        assert_eq!(enforced.is_none(), open, "{id} at enforce");
        let observed = match (observe, observed) {
            (Observe::Shown, observed) => {
                assert_eq!(observed.is_none(), open, "{id} at observe");
                observed.unwrap_or_else(|| "open".to_owned())
            }
            (Observe::Never(why), None) => why.to_owned(),
            (Observe::Never(why), Some(scene)) => panic!("{id}: {why}, but there is {scene}"),
        };
        let enforced = enforced.unwrap_or_else(|| "open".to_owned());
        writeln!(table, "| {id} | {enforced} | {observed} |").unwrap();
    }
    for (id, _) in scenes.keys() {
        assert!(WANTED.iter().any(|(wanted, _)| wanted == id), "{id}");
    }
    let doc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/threat-model.md");
    let doc = fs::read_to_string(doc).unwrap();
    assert!(
        doc.contains(&table),
        "docs/threat-model.md, \"What is shown\", is to say:\n{table}"
    );
}

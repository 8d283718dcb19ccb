//! The house is as its map says: rooms and arrows, file sizes, and what does not belong in a commit.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests may say what they mean"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Lines no source file may pass; files settle at 80–300.
const FILE_LINES_MAX: usize = 800;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace")
}

fn rooms() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("crates")).expect("crates/");
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Our own crates that each manifest's `[dependencies]` name.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let rooms = rooms();
    let read = |room: &String| {
        let path = root().join("crates").join(room).join("Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
        assert_eq!(
            manifest["package"]["name"].as_str(),
            Some(room.as_str()),
            "folder = crate"
        );
        let named = manifest["dependencies"]
            .as_table()
            .expect("[dependencies]")
            .keys();
        (
            room.clone(),
            named
                .filter(|name| rooms.contains(*name))
                .cloned()
                .collect(),
        )
    };
    rooms.iter().map(read).collect()
}

/// The rows of ARCHITECTURE.md's table of rooms: room → may see.
fn map() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text
        .split("## The rooms")
        .nth(1)
        .expect("a section 'The rooms'");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let seen = cells[3]
            .split(", ")
            .filter(|name| *name != "–")
            .map(str::to_owned)
            .collect();
        (cells[1].trim_matches('`').to_owned(), seen)
    };
    rows.map(row).collect()
}

#[test]
fn the_map_shows_every_room_and_every_arrow() {
    assert_eq!(
        map(),
        arrows(),
        "ARCHITECTURE.md's table (left) against the manifests (right)"
    );
}

#[test]
fn pure_rooms_have_no_runtime() {
    for room in ["ocpp", "guard"] {
        let path = root().join("crates").join(room).join("Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
        for banned in [
            "tokio",
            "rusqlite",
            "rustls",
            "socket2",
            "getrandom",
            "tracing",
            "axum",
        ] {
            let named = manifest["dependencies"].get(banned);
            assert!(named.is_none(), "{room} is pure and names {banned}");
        }
    }
}

#[test]
fn every_room_keeps_the_house_lints() {
    for room in rooms() {
        let path = root().join("crates").join(&room).join("Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
        assert_eq!(
            manifest["lints"]["workspace"].as_bool(),
            Some(true),
            "{room}"
        );
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(
                name.as_str(),
                "target" | ".git" | ".work" | "node_modules" | "corpus"
            ) {
                files_below(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

#[test]
fn no_source_file_outgrows_its_room() {
    let mut files = Vec::new();
    files_below(&root().join("crates"), &mut files);
    for path in files
        .iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"))
    {
        let lines = fs::read_to_string(path).unwrap().lines().count();
        assert!(
            lines <= FILE_LINES_MAX,
            "{} has {lines} lines",
            path.display()
        );
    }
}

#[test]
fn every_direct_dependency_has_its_line() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let reasons = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let rooms = rooms();
    let named = manifest["workspace"]["dependencies"]
        .as_table()
        .unwrap()
        .keys();
    for name in named.filter(|name| !rooms.contains(*name)) {
        assert!(
            reasons.contains(&format!("`{name}`")),
            "docs/dependencies.md is silent on {name}"
        );
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut files = Vec::new();
    files_below(&root(), &mut files);
    for path in files
        .iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
    {
        let text = fs::read_to_string(path).unwrap();
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.contains(' ') {
                continue;
            }
            let there = path.parent().unwrap().join(file);
            assert!(there.exists(), "{} links to {file}", path.display());
        }
    }
}

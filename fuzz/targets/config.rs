//! Arbitrary text as `portcullis.toml`: read, or refused with problems that point into it.

#![no_main]

use std::path::Path;

use fuzz::plant;
use libfuzzer_sys::fuzz_target;
use portcullis::config::Config;

fuzz_target!(init: plant(seeds()), |data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Err(problems) = Config::read("portcullis.toml", text, Path::new("/etc/portcullis")) {
        assert!(!problems.is_empty());
        let lines = text.lines().count() + 1;
        assert!(problems.iter().all(|problem| problem.line.is_none_or(|line| (1..=lines).contains(&line))));
    }
});

/// The example as it is, with every default spelled out, and each of its sections alone.
fn seeds() -> Vec<Vec<u8>> {
    let example = include_str!("../../crates/portcullis/src/config/example.toml");
    let uncommented: String = example
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| rest.contains(" = "))
                .unwrap_or(line)
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let sections = uncommented
        .split("\n[")
        .map(|section| format!("[{section}").into_bytes());
    let mut seeds = vec![example.into(), uncommented.clone().into_bytes()];
    seeds.extend(sections);
    seeds
}

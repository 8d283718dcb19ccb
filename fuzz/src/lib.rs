//! What the fuzz targets share: where their seeds go, and valid messages made from the catalogue.

pub mod messages;

use std::path::Path;

/// Writes a target's seeds and ends the process, if `FUZZ_SEEDS` names a directory for them.
///
/// Seeds are made by the target itself, since a program that is instrumented for libFuzzer has to be
/// linked with it, and so has no other way in.
pub fn plant(seeds: impl IntoIterator<Item = Vec<u8>>) {
    let Ok(directory) = std::env::var("FUZZ_SEEDS") else {
        return;
    };
    let directory = Path::new(&directory);
    std::fs::create_dir_all(directory).expect("a directory for the seeds");
    for (number, seed) in seeds.into_iter().enumerate() {
        let file = directory.join(format!("seed-{number:04}"));
        std::fs::write(file, seed).expect("a seed to be written");
    }
    std::process::exit(0);
}

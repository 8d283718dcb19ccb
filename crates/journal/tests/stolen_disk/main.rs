//! A stolen disk: something is planted in every field that the catalogue classes, in every message of
//! all three versions; then the thief looks for it, in every spelling, in every file and in the
//! records, which the thief can decrypt.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "plumbing of a test, which ends where it cannot go on"
)]

mod messages;
mod needles;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use guard::UnixMillis;
use journal::proof::LogKey;
use journal::vault::Class;
use journal::{
    Append as _, Appended, Entry, Journal, KeyRing, Query, Root, Settings, Vault, VaultSettings,
    Weight,
};
use messages::{Kind, Message, Planted, every_message};
use needles::Needles;
use ocpp::{Frame, Limits, Meaning, Reader, Side, Version};

const NOW: UnixMillis = UnixMillis(1_795_305_600_123);
const PATIENCE: Duration = Duration::from_secs(30);

struct Disk {
    dir: tempfile::TempDir,
    keys: Arc<KeyRing>,
}

impl Disk {
    fn new() -> Result<Disk, Box<dyn Error>> {
        let dir = tempfile::tempdir()?;
        let keys = KeyRing::init(
            Root::new([7; 32]),
            &dir.path().join("record/keys"),
            &dir.path().join("keks"),
        )?;
        Ok(Disk {
            dir,
            keys: Arc::new(keys),
        })
    }

    fn journal(&self) -> Result<Journal, Box<dyn Error>> {
        let log = LogKey::new("gate.example/record", self.keys.log_key())?;
        let settings = Settings::new(&self.dir.path().join("record"));
        Ok(Journal::open(&settings, self.keys.clone(), log)?)
    }

    fn vault(&self) -> Result<Vault, Box<dyn Error>> {
        let rows = self.dir.path().join("record/subjects.db");
        Ok(Vault::open(
            &rows,
            self.keys.clone(),
            VaultSettings::default(),
        )?)
    }

    /// All that lies there, the keys outside of backups included.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        collect(self.dir.path(), &mut files);
        files
    }
}

fn collect(dir: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(&path, files),
            false => files.push((path.display().to_string(), fs::read(&path).unwrap())),
        }
    }
}

/// Records every message as the gate does, and gives the records as somebody with the segments' keys
/// reads them.
fn recorded(disk: &Disk, messages: &[Message]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let (mut vault, journal) = (disk.vault()?, disk.journal()?);
    let mut reader = Reader::new();
    let mut entries = Vec::new();
    for message in messages {
        let read = reader.read(
            Frame::text(message.text.as_bytes()),
            Side::Station,
            message.version,
            &Limits::default(),
            message,
        );
        if let ocpp::Message::Unreadable(unreadable) = &read {
            panic!(
                "{:?} at {} of {}",
                unreadable.fault, unreadable.at, message.text
            );
        }
        let (mut json, mut handles) = (br#"{"kind":"call","message":"#.to_vec(), Vec::new());
        let text = message.text.as_bytes();
        vault.rewrite("cpo", text, read.facts(), NOW, &mut json, &mut handles)?;
        json.push(b'}');
        let _: serde_json::Value = serde_json::from_slice(&json)?;
        entries.push((json, handles));
    }
    vault.settle()?;
    let appender = journal.appender();
    let mut last = None;
    for (json, handles) in &entries {
        let appended = appender.append(&Entry {
            at: NOW,
            weight: Weight::Kept,
            json,
            station: Some("CS-0001"),
            action: None,
            refused: false,
            handles,
        });
        let Appended::Queued(ticket) = appended else {
            panic!("{appended:?}");
        };
        last = Some(ticket);
    }
    appender.wait_durable(last.ok_or("no message")?, PATIENCE)?;
    let records: Result<Vec<_>, _> = journal.reader().search(Query::default())?.collect();
    let records: Vec<_> = records?.into_iter().map(|record| record.json).collect();
    journal.close();
    assert_eq!(records.len(), entries.len());
    Ok(records)
}

#[test]
fn nothing_that_was_planted_is_on_the_disk_or_in_the_decrypted_records()
-> Result<(), Box<dyn Error>> {
    let messages = every_message(0x5eed);
    let planted: Vec<&Planted> = messages
        .iter()
        .flat_map(|message| &message.planted)
        .collect();
    let needles = Needles::of(planted.iter().map(|planted| planted.text.as_str()));
    let disk = Disk::new()?;
    let records = recorded(&disk, &messages)?;

    // The search itself finds what is there.
    for message in messages.iter().take(50) {
        for planted in &message.planted {
            assert!(
                needles.find(message.text.as_bytes()).is_some(),
                "{planted:?}"
            );
        }
    }
    for (name, bytes) in disk.files() {
        let found = needles.find(&bytes);
        assert!(found.is_none(), "{found:?} is in {name}");
    }
    for (record, message) in records.iter().zip(&messages) {
        let found = needles.find(record);
        let shown = String::from_utf8_lossy(record);
        assert!(
            found.is_none(),
            "{found:?} of {} is in {shown}",
            message.text
        );
    }
    println!("{}", counted(&planted, messages.len()));
    Ok(())
}

/// How many values were planted, by meaning; every meaning that the record must hide is among them.
fn counted(planted: &[&Planted], messages: usize) -> String {
    let mut by_meaning: BTreeMap<Meaning, usize> = BTreeMap::new();
    for planted in planted {
        *by_meaning.entry(planted.meaning).or_default() += 1;
    }
    for meaning in [
        Meaning::Person,
        Meaning::Token,
        Meaning::Contract,
        Meaning::Vehicle,
        Meaning::Sim,
        Meaning::Secret,
        Meaning::Url,
        Meaning::Certificate,
        Meaning::Signature,
        Meaning::FreeText,
        Meaning::VendorData,
        Meaning::ConfigValue,
    ] {
        assert!(
            by_meaning.contains_key(&meaning),
            "nothing planted as {meaning:?}"
        );
    }
    let counts: Vec<_> = by_meaning
        .iter()
        .map(|(meaning, count)| format!("{} {count}", meaning.name()))
        .collect();
    format!(
        "{} values planted in {messages} messages: {}",
        planted.len(),
        counts.join(", ")
    )
}

#[test]
fn every_message_of_every_version_is_among_them() {
    let messages = every_message(1);
    for version in Version::ALL {
        for action in ocpp::catalogue::actions(version) {
            for kind in [Kind::Request, Kind::Answer] {
                let there = messages.iter().any(|message| {
                    message.version == version
                        && message.action.name == action.name
                        && message.kind == kind
                });
                let is_meant = kind == Kind::Request || action.answer.is_some();
                assert_eq!(there, is_meant, "{version:?} {} {kind:?}", action.name);
            }
        }
    }
}

#[test]
fn of_a_hundred_candidates_none_can_be_confirmed_without_the_root() -> Result<(), Box<dyn Error>> {
    let candidates: Vec<String> = (0..100).map(|n| format!("04E91C5A12{n:04X}")).collect();
    let disk = Disk::new()?;
    let mut vault = disk.vault()?;
    for candidate in &candidates[..50] {
        vault.handle_of("cpo", Class::Token, candidate, NOW)?;
    }
    vault.settle()?;
    drop(vault);

    // What the thief can compute of a candidate: its hashes, alone and with what stands around it.
    let mut texts = Vec::new();
    for candidate in &candidates {
        for spelling in [candidate.clone(), candidate.to_lowercase()] {
            texts.extend([
                format!("cpo{spelling}"),
                format!("cpo:{spelling}"),
                format!("cpo\0{spelling}"),
                spelling,
            ]);
        }
    }
    let mut prints = Vec::new();
    for algorithm in [
        &digest::SHA1_FOR_LEGACY_USE_ONLY,
        &digest::SHA256,
        &digest::SHA384,
        &digest::SHA512,
    ] {
        for text in &texts {
            // A row's tag is half as long as a hash: its beginning would do.
            prints.push(digest::digest(algorithm, text.as_bytes()).as_ref()[..16].to_vec());
        }
    }
    let hashes = Needles::of_bytes(prints.iter().map(Vec::as_slice));
    let spelled = Needles::of(texts.iter().map(String::as_str));
    for (name, bytes) in disk.files() {
        assert!(hashes.find(&bytes).is_none(), "a hash is in {name}");
        assert!(spelled.find(&bytes).is_none(), "an identifier is in {name}");
    }

    // With all the files and another root, nothing opens; with the root and without the wrapping
    // keys, everything opens and no candidate is there.
    let (record, keks) = (disk.dir.path().join("record"), disk.dir.path().join("keks"));
    assert!(KeyRing::open(Root::new([8; 32]), &record.join("keys"), &keks).is_err());
    fs::remove_dir_all(&keks)?;
    let vault = disk.vault()?;
    for candidate in &candidates {
        assert_eq!(vault.find("cpo", candidate)?, []);
    }
    Ok(())
}

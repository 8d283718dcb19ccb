//! Erasure, holds, retention, and what an old backup is worth.

use std::fs;
use std::time::Instant;

use super::*;
use crate::keys::KeyKind;

const RETENTION: Retention = Retention {
    identifiers_days: 180,
    texts_days: 30,
    records_days: 365,
};

fn whom(text: &str) -> Subject<'_> {
    Subject::Identifier {
        tenant: "cpo",
        text,
    }
}

impl Scene {
    /// Until nothing is due.
    fn tend(&mut self) -> Tended {
        let mut all = Tended::default();
        loop {
            let tended = self
                .vault
                .tend(&RETENTION, &self.path("record"), self.now)
                .unwrap();
            all.rewrapped += tended.rewrapped;
            all.identifiers += tended.identifiers;
            all.keks.extend(tended.keks);
            all.texts.extend(tended.texts);
            all.records.extend(tended.records);
            if !tended.more {
                return all;
            }
        }
    }

    /// The gate runs on, but has little to do.
    fn days_later(&mut self, days: i64) {
        for _ in 0..days {
            self.now.0 += DAY;
            self.vault.look(self.now).unwrap();
            self.vault.settle().unwrap();
        }
    }

    /// A copy of everything but the wrapping keys, as a backup makes it.
    fn back_up(&self) -> tempfile::TempDir {
        let backup = tempfile::tempdir().unwrap();
        copy(&self.path("record"), &backup.path().join("record"));
        backup
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[test]
fn whoever_was_erased_is_known_to_nobody_and_gets_another_handle() {
    let mut scene = Scene::new();
    let first = scene.token("erased");
    scene.days_later(91);
    let second = scene.token("erased");
    let other = scene.token("other");

    let now = scene.now;
    let receipt = scene.vault.erase(whom("ERASED"), "anna", now).unwrap();
    assert_eq!(receipt.rows, 2, "both epochs'");
    assert!(!receipt.to_string().contains("erased-"));
    for handle in [first, second] {
        assert!(matches!(
            scene.vault.original(handle),
            Err(VaultError::Unknown)
        ));
    }
    assert_eq!(scene.vault.find("cpo", "erased").unwrap(), []);
    let again = scene.token("erased");
    assert!(again != first && again != second);
    assert_eq!(scene.vault.original(other).unwrap().text.as_str(), "other");
    let unknown = scene.vault.erase(whom("nobody"), "anna", now);
    assert!(matches!(unknown, Err(VaultError::Unknown)));

    let acts = scene.vault.acts().unwrap();
    let [act] = acts.as_slice() else {
        panic!("{acts:?}")
    };
    assert_eq!((act.what.as_str(), act.by.as_str()), ("erase", "anna"));
    assert!(act.details.contains(&receipt.case), "{act:?}");
    for handle in [first, second] {
        assert!(!act.details.contains(&handle.to_string()), "{act:?}");
    }
    scene.vault.acts_recorded(act.number).unwrap();
    assert_eq!(scene.vault.acts().unwrap(), []);
}

#[test]
fn what_was_erased_is_wiped_from_the_file_and_its_log() {
    let mut scene = Scene::new();
    scene.token("erased");
    scene.vault.settle().unwrap();
    let found = scene.vault.rows_of("cpo", "erased").unwrap().remove(0);
    let there = |scene: &Scene| {
        let files = ["record/subjects.db", "record/subjects.db-wal"];
        let bytes = files.map(|file| fs::read(scene.path(file)).unwrap_or_default());
        bytes
            .concat()
            .windows(found.sealed.len())
            .any(|window| window == found.sealed)
    };
    assert!(there(&scene));
    let now = scene.now;
    scene.vault.erase(whom("erased"), "anna", now).unwrap();
    scene.tend();
    assert!(!there(&scene));
}

#[test]
fn another_process_may_erase_while_the_gate_runs() {
    let mut scene = Scene::new();
    let handle = scene.token("erased");
    scene.vault.settle().unwrap();
    let mut command = open(scene.dir.path(), VaultSettings::default()).unwrap();
    command
        .erase(Subject::Handle(handle), "anna", scene.now)
        .unwrap();
    scene.now.0 += LOOK_MILLIS;
    assert_ne!(scene.token("erased"), handle);
    assert_eq!(scene.vault.acts().unwrap().len(), 1, "the gate records it");
}

#[test]
fn erasing_takes_ten_milliseconds_at_most() {
    let mut scene = Scene::new();
    for number in 0..2_000 {
        scene.token(&format!("subject {number}"));
    }
    scene.vault.settle().unwrap();
    let now = scene.now;
    let mut micros: Vec<_> = (0..40)
        .map(|number| {
            let subject = format!("subject {number}");
            let began = Instant::now();
            scene.vault.erase(whom(&subject), "anna", now).unwrap();
            began.elapsed().as_micros()
        })
        .collect();
    micros.sort_unstable();
    println!(
        "erasing one of 2,000: median {} µs, best {} µs",
        micros[20], micros[0]
    );
    // The best, since other tests keep the disk busy meanwhile.
    assert!(micros[0] <= 10_000, "{micros:?}");
}

#[test]
fn an_old_backup_and_the_root_reveal_nobody_once_the_days_key_is_gone() {
    let mut scene = Scene::new();
    let (erased, other) = (scene.token("erased"), scene.token("other"));
    scene.vault.settle().unwrap();
    let backup = scene.back_up();
    let now = scene.now;
    scene.vault.erase(whom("erased"), "anna", now).unwrap();
    scene.days_later(1);
    assert_eq!(scene.tend().rewrapped, 1);
    assert!(
        scene.path("keks/kek-2026-11-22.key").exists(),
        "backups of a week open"
    );

    // Whoever takes the backup back in that week still has the key.
    copy(&scene.path("keks"), &backup.path().join("keks"));
    let restored = open(backup.path(), VaultSettings::default()).unwrap();
    assert_eq!(restored.original(erased).unwrap().text.as_str(), "erased");
    drop(restored);
    fs::remove_dir_all(backup.path().join("keks")).unwrap();

    scene.days_later(7);
    let tended = scene.tend();
    assert!(
        tended.keks.contains(&Day::named("2026-11-22").unwrap()),
        "{tended:?}"
    );
    assert!(!scene.path("keks/kek-2026-11-22.key").exists());
    assert_eq!(
        scene.token("other"),
        other,
        "whoever was not erased is still known"
    );

    copy(&scene.path("keks"), &backup.path().join("keks"));
    let restored = open(backup.path(), VaultSettings::default()).unwrap();
    let lost = restored.health().lost;
    assert_eq!(lost, [(Day::named("2026-11-22").unwrap(), 2)]);
    for handle in [erased, other] {
        assert!(matches!(
            restored.original(handle),
            Err(VaultError::Unknown)
        ));
    }
    for guess in ["erased", "other"] {
        assert_eq!(
            restored.find("cpo", guess).unwrap(),
            [],
            "no guess is confirmed"
        );
    }
}

#[test]
fn rows_move_on_while_the_gate_works_and_none_is_lost() {
    let mut scene = Scene::new();
    let handles: Vec<_> = (0..1_200)
        .map(|number| scene.token(&format!("subject {number}")))
        .collect();
    scene.vault.settle().unwrap();
    scene.days_later(1);
    let now = scene.now;
    let first = scene
        .vault
        .tend(&RETENTION, &scene.path("record"), now)
        .unwrap();
    assert!(first.more && first.rewrapped == 500, "{first:?}");
    let new = scene.token("new");
    scene.restart();
    for (number, handle) in handles.iter().enumerate() {
        assert_eq!(scene.token(&format!("subject {number}")), *handle);
    }
    assert_ne!(scene.token("new"), new, "it was not settled");
    assert_eq!(scene.tend().rewrapped, 700);
    assert_eq!(scene.tend(), Tended::default());
    scene.restart();
    for (number, handle) in handles.iter().enumerate() {
        let whom = scene.vault.original(*handle).unwrap();
        assert_eq!(whom.text.as_str(), format!("subject {number}"));
    }
}

#[test]
fn whoever_is_held_is_neither_erased_nor_forgotten() {
    let mut scene = Scene::new();
    let (held, other) = (scene.token("held"), scene.token("other"));
    let now = scene.now;
    let rows = scene
        .vault
        .hold(whom("held"), "anna", "case 7, anna@example.org", now);
    assert_eq!(rows.unwrap(), 1);
    let error = scene.vault.erase(Subject::Handle(held), "anna", now);
    assert!(matches!(error, Err(VaultError::Held)));
    let [on] = &scene.vault.held().unwrap()[..] else {
        panic!()
    };
    assert_eq!((on.handle, on.class), (held, Class::Token));

    scene
        .vault
        .texts
        .seal(Day::of(now), "x", &mut Vec::new())
        .unwrap();
    scene.days_later(1);
    let after = scene.now;
    scene
        .vault
        .texts
        .seal(Day::of(after), "x", &mut Vec::new())
        .unwrap();
    scene.days_later(365);
    let tended = scene.tend();
    assert_eq!(tended.identifiers, 1);
    assert_eq!(
        tended.texts,
        [Day::of(after)],
        "the day on which it was seen stays"
    );
    assert!(scene.vault.original(held).is_ok());
    assert!(matches!(
        scene.vault.original(other),
        Err(VaultError::Unknown)
    ));

    let now = scene.now;
    scene
        .vault
        .release(Subject::Handle(held), "anna", "closed", now)
        .unwrap();
    scene.days_later(1);
    assert_eq!(scene.tend().identifiers, 1);
    let acts = scene.vault.acts().unwrap();
    let what: Vec<_> = acts.iter().map(|act| act.what.as_str()).collect();
    assert_eq!(
        what,
        [
            "hold",
            "retention",
            "retention",
            "release",
            "retention",
            "retention"
        ]
    );
    assert!(
        acts.iter().all(|act| !act.details.contains("anna@")),
        "{acts:?}"
    );
}

#[test]
fn whoever_is_seen_is_not_forgotten() {
    let mut scene = Scene::with(VaultSettings {
        epoch_days: 3650,
        ..VaultSettings::default()
    });
    let handle = scene.token("regular");
    for _ in 0..10 {
        scene.days_later(100);
        assert_eq!(scene.token("regular"), handle);
        assert_eq!(scene.tend().identifiers, 0);
    }
    scene.days_later(181);
    assert_eq!(scene.tend().identifiers, 1);
}

#[test]
fn a_clock_that_jumps_destroys_nothing_and_is_followed_back() {
    let mut scene = Scene::new();
    let handle = scene.token("A");
    scene.vault.settle().unwrap();
    let right = scene.now;
    for jump in [3_000, -20_000] {
        scene.now = UnixMillis(right.0 + jump * DAY);
        let jumped = scene
            .vault
            .tend(&RETENTION, &scene.path("record"), scene.now)
            .unwrap();
        assert!(jumped.waits_for_clock, "{jumped:?}");
        scene.restart();
        assert!(scene.tend().keks.is_empty() && scene.vault.health().lost.is_empty());
        scene.now = right;
        scene.tend();
        assert_eq!(scene.token("A"), handle, "after {jump} days");
        scene.vault.settle().unwrap();
    }
    let kept = |scene: &Scene| scene.vault.subjects.keys.days(KeyKind::Subjects).unwrap();
    scene.days_later(1);
    scene.tend();
    let latest = Day::of(scene.now);
    assert!(
        kept(&scene).iter().all(|day| *day <= latest),
        "{:?}",
        kept(&scene)
    );
    scene.days_later(8);
    scene.tend();
    let dates: Vec<_> = kept(&scene).iter().map(Day::to_string).collect();
    assert!(
        dates.iter().all(|date| date.starts_with("2026-")),
        "{dates:?}"
    );
}

#[test]
fn a_row_that_was_tampered_with_is_said_to_be_damaged() {
    let mut scene = Scene::new();
    let (one, other) = (scene.token("one"), scene.token("other"));
    scene.vault.settle().unwrap();
    scene
        .vault
        .subjects
        .sql(|db| {
            db.execute(
                "UPDATE subjects SET row = (SELECT max(row) FROM subjects)",
                [],
            )
        })
        .unwrap();
    let results = [
        scene.vault.original(one).is_ok(),
        scene.vault.original(other).is_ok(),
    ];
    assert_eq!(
        results.iter().filter(|opened| **opened).count(),
        1,
        "one row is its own still"
    );
    let damaged = [one, other]
        .into_iter()
        .find_map(|handle| scene.vault.original(handle).err());
    assert!(matches!(damaged, Some(VaultError::Damaged { .. })));

    // It gets no other key, keeps its own from being destroyed, and that is said every day.
    let first = Day::of(scene.now);
    for days in [1, 8] {
        scene.days_later(days);
        assert!(!scene.tend().keks.contains(&first));
        assert_eq!(scene.vault.health().damaged, 1);
        assert_eq!(scene.tend(), Tended::default(), "all is done for today");
        assert_eq!(scene.vault.health().damaged, 1);
    }
}

#[test]
fn the_act_that_ends_a_day_names_its_records() {
    use crate::{Append as _, Entry, Journal, Settings, Weight};
    let mut scene = Scene::new();
    let keys = scene.vault.subjects.keys.clone();
    for day in [0, 1, 365] {
        scene.days_later(day);
        let log = crate::proof::LogKey::new("gate.example/record", keys.log_key()).unwrap();
        let settings = Settings::new(&scene.path("record"));
        let journal = Journal::open(&settings, keys.clone(), log).unwrap();
        for _ in 0..7 {
            journal.appender().append(&Entry {
                at: scene.now,
                weight: Weight::Kept,
                json: b"{}",
                station: None,
                action: None,
                refused: false,
                handles: &[],
            });
        }
        journal.close();
    }
    let ended = scene.tend().records;
    assert_eq!(ended, [Day::named("2026-11-22").unwrap()]);
    let acts = scene.vault.acts().unwrap();
    let said: Vec<_> = acts.iter().map(|act| act.details.as_str()).collect();
    assert_eq!(said, ["records of 2026-11-22 (0-6)"]);
}

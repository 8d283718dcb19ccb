//! What is true of the SQLite store beyond the promises that every store keeps.

use std::path::Path;
use std::sync::Arc;

use guard::{
    Credential, PasswordForm, PasswordHash, Route, RouteId, Secret, StationRecord, Tenant,
    UnixMillis, UpstreamCredential, Verifier,
};
use ocpp::{StationId, Version};
use rusqlite::Connection;

use super::SqliteStore;
use crate::memories::MemoryStore;
use crate::{KeyFile, RefusedMessage, RefusedStore, Store, StoreError, conformance};

/// A directory with a key, and the place of a database.
struct Scene {
    room: tempfile::TempDir,
}

impl Scene {
    fn new() -> Scene {
        Scene {
            room: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> std::path::PathBuf {
        self.room.path().join("portcullis.db")
    }

    fn key(&self) -> KeyFile {
        KeyFile::open_or_create(&self.room.path().join("gate.key")).unwrap()
    }

    fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&self.path(), &self.key())
    }
}

fn tenant() -> Tenant {
    Tenant(Arc::from("blue"))
}

fn station(id: &str, upstream_password: Option<&[u8]>) -> StationRecord {
    let credential = Credential::Password(Verifier {
        form: PasswordForm::Octets,
        hash: PasswordHash::Fast {
            salt: [1; 16],
            tag: [2; 32],
        },
    });
    let id = StationId::parse(id, Version::V16).unwrap();
    StationRecord {
        upstream_password: upstream_password.map(|bytes| Secret::new(bytes.to_vec())),
        ..StationRecord::new(id, tenant(), credential)
    }
}

#[test]
fn the_sqlite_store_keeps_every_promise() {
    let room = tempfile::tempdir().unwrap();
    let mut number = 0;
    let result = conformance::run(|| {
        number += 1;
        let path = room.path().join(format!("{number}.db"));
        let key = KeyFile::open_or_create(&room.path().join("gate.key")).unwrap();
        Box::new(move || {
            SqliteStore::open(&path, &key).map(|store| Box::new(store) as Box<dyn Store>)
        })
    });
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(number, conformance::names().count());
}

#[test]
fn the_sqlite_store_keeps_every_promise_about_refusals() {
    let room = tempfile::tempdir().unwrap();
    let mut number = 0;
    let result = conformance::refused::run(|| {
        number += 1;
        let path = room.path().join(format!("{number}.db"));
        let key = KeyFile::open_or_create(&room.path().join("gate.key")).unwrap();
        Box::new(move || {
            SqliteStore::open(&path, &key).map(|store| Box::new(store) as Box<dyn RefusedStore>)
        })
    });
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(number, 5);
}

#[test]
fn the_sqlite_store_keeps_every_promise_about_memories() {
    let room = tempfile::tempdir().unwrap();
    let mut number = 0;
    let result = conformance::memories::run(|| {
        number += 1;
        let path = room.path().join(format!("{number}.db"));
        let key = KeyFile::open_or_create(&room.path().join("gate.key")).unwrap();
        Box::new(move || {
            SqliteStore::open(&path, &key)
                .map(|store| Box::new(store) as Box<dyn conformance::memories::Whole>)
        })
    });
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(number, 4);
}

#[test]
fn a_memory_that_somebody_bent_is_unknown_and_counted() {
    let scene = Scene::new();
    let mut store = scene.open().unwrap();
    for id in ["CP-1", "CP-2"] {
        store.add(&station(id, None)).unwrap();
        let key = (tenant(), StationId::parse(id, Version::V16).unwrap());
        store.keep_memories(&[(key, Arc::default())]).unwrap();
    }
    let bent = "UPDATE memory SET bytes = x'07ff' WHERE identity = 'CP-1'";
    Connection::open(scene.path())
        .unwrap()
        .execute(bent, ())
        .unwrap();
    let kept = store.open_memories().unwrap();
    assert_eq!((kept.memories.len(), kept.unreadable), (1, 1));
    let id = StationId::parse("CP-1", Version::V16).unwrap();
    assert_eq!(store.memory(&tenant(), &id).unwrap(), None);
}

#[test]
fn a_kept_refusal_is_not_readable_in_the_file_and_moves_no_revision() {
    let scene = Scene::new();
    let mut store = scene.open().unwrap();
    let revision = store.revision().unwrap();
    let kept = store.keep(
        &[RefusedMessage {
            at: UnixMillis(1),
            tenant: tenant(),
            station: StationId::parse("CP-1", Version::V16).unwrap(),
            version: "1.6".to_owned(),
            action: "StopTransaction".to_owned(),
            by: "schema".to_owned(),
            why: "w".to_owned(),
            text: Secret::new(b"the tag 04A2B3C4".to_vec()),
        }],
        crate::RefusedRoom {
            all: 10,
            of_a_station: 10,
        },
    );
    assert_eq!(kept.unwrap(), 1);
    assert_eq!(store.revision().unwrap(), revision);
    drop(store);
    for file in std::fs::read_dir(scene.room.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"04A2B3C4"));
    }
}

#[test]
fn a_store_that_breaks_a_promise_is_told_so() {
    let scene = Scene::new();
    scene.open().unwrap().add(&station("CP-1", None)).unwrap();
    let (path, key) = (scene.path(), Arc::new(scene.key()));
    let broken = conformance::run(move || {
        let (path, key) = (path.clone(), Arc::clone(&key));
        Box::new(move || {
            SqliteStore::open(&path, &key).map(|store| Box::new(store) as Box<dyn Store>)
        })
    });
    assert_eq!(broken.unwrap_err().promise, "a new store is empty");
}

#[test]
fn no_secret_lies_open_in_any_file_of_the_store() {
    let scene = Scene::new();
    let mut store = scene.open().unwrap();
    let (mine, all) = (b"upstream-of-one-station", b"upstream-of-every-station");
    store.add(&station("CP-1", Some(mine))).unwrap();
    let route = Route {
        id: RouteId(Arc::from("main")),
        path: "/ocpp/{identity}".to_owned(),
        tenant: tenant(),
        upstream: "ws://127.0.0.1/".to_owned(),
        credential: UpstreamCredential::Fixed(Secret::new(all.to_vec())),
        organization: None,
    };
    store.replace_file_routes(&[route]).unwrap();
    let file = std::fs::read_to_string(scene.room.path().join("gate.key")).unwrap();
    let digits = file.split_whitespace().nth(1).unwrap();
    let master: Vec<u8> = (0..32)
        .map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).unwrap())
        .collect();
    let secrets = [&mine[..], &all[..], digits.as_bytes(), &master];
    // With the store still open, what was written is in the WAL file.
    let mut seen = 0;
    for entry in std::fs::read_dir(scene.room.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() == "gate.key" {
            continue;
        }
        let bytes = std::fs::read(entry.path()).unwrap();
        seen += bytes.len();
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "a secret lies in {:?}", entry.file_name());
        }
    }
    assert!(seen > 8192, "the scan has seen the database");
    let read = store.station(&tenant(), &station("CP-1", None).id).unwrap();
    assert_eq!(read.upstream_password.unwrap().expose(), mine);
}

#[cfg(unix)]
#[test]
fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    let mut store = scene.open().unwrap();
    store.add(&station("CP-1", None)).unwrap();
    for entry in std::fs::read_dir(scene.room.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} is {mode:o}", entry.file_name());
    }
}

#[test]
fn another_key_file_is_told_by_name() {
    let scene = Scene::new();
    drop(scene.open().unwrap());
    let other = KeyFile::create(&scene.room.path().join("other.key")).unwrap();
    let Err(error) = SqliteStore::open(&scene.path(), &other) else {
        panic!("it opened with another key");
    };
    let StoreError::OtherKey { wanted, held, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!((wanted, held), (&scene.key().name(), &other.name()));
    assert!(error.remedy().contains("key file"));
    assert!(scene.open().is_ok(), "the right key still opens it");
}

#[test]
fn a_newer_schema_is_left_alone() {
    let scene = Scene::new();
    drop(scene.open().unwrap());
    by_hand(
        &scene.path(),
        "INSERT INTO schema_version VALUES (99, 'later', '9.9.9')",
    );
    let before = std::fs::read(scene.path()).unwrap();
    let Err(error) = scene.open() else {
        panic!("it opened a database of the future");
    };
    assert!(
        matches!(error, StoreError::NewerSchema { found: 99, .. }),
        "{error}"
    );
    assert!(error.remedy().contains("newer version"));
    assert_eq!(before, std::fs::read(scene.path()).unwrap());
}

#[test]
fn an_old_database_is_taken_along() {
    let scene = Scene::new();
    let name = scene.key().name();
    by_hand(
        &scene.path(),
        &format!(
            "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL,
                program TEXT NOT NULL) STRICT;
             INSERT INTO schema_version VALUES (1, 'then', '0.0.1');
             {}
             INSERT INTO key_name VALUES (1, '{name}');
             INSERT INTO station VALUES ('blue', 'CP-1', 'cp-1', 0, 'certificate', NULL, NULL,
                NULL, NULL, zeroblob(32), '1.6', '1.6', NULL, 'then');
             INSERT INTO route VALUES ('main', '/ocpp/{{identity}}', 'default', 'ws://csms', 'none',
                NULL, 'file', 0);",
            include_str!("schema_1.sql")
        ),
    );
    let store = scene.open().unwrap();
    let [kept] = &store.stations(None).unwrap()[..] else {
        panic!("one station was there");
    };
    let expected = StationRecord {
        enabled: false,
        protocols: guard::Protocols {
            allowed: vec![Version::V16],
            unnamed: Some(Version::V16),
        },
        ..StationRecord::new(kept.id.clone(), tenant(), Credential::Certificate([0; 32]))
    };
    assert_eq!(format!("{kept:?}"), format!("{expected:?}"));
    assert_eq!(store.routes().unwrap().len(), 1);
}

#[test]
fn what_is_no_database_is_not_touched() {
    let scene = Scene::new();
    std::fs::write(
        scene.path(),
        b"a file of somebody else, that is no database at all",
    )
    .unwrap();
    let Err(error) = scene.open() else {
        panic!("it opened something else");
    };
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(
        std::fs::read(scene.path())
            .unwrap()
            .starts_with(b"a file of somebody else")
    );
    let Err(error) = SqliteStore::open(Path::new("/proc/none/x.db"), &scene.key()) else {
        panic!("it opened a path that cannot be");
    };
    assert!(matches!(error, StoreError::Unopened { .. }), "{error}");
}

#[test]
fn a_row_bent_by_hand_is_named() {
    let scene = Scene::new();
    let mut store = scene.open().unwrap();
    for (id, password) in [("CP-1", b"one".as_slice()), ("CP-2", b"two")] {
        store.add(&station(id, Some(password))).unwrap();
    }
    for (bend, part) in [
        (
            "UPDATE station SET versions = '1.6 9.9' WHERE identity = 'CP-1'",
            "versions",
        ),
        (
            "UPDATE station SET versions = '1.6', unnamed = 'x' WHERE identity = 'CP-1'",
            "versions",
        ),
        // Copying another row's sealed password does not hand it over.
        (
            "UPDATE station SET unnamed = NULL, upstream_password =
                (SELECT upstream_password FROM station WHERE identity = 'CP-2')
             WHERE identity = 'CP-1'",
            "sealed upstream password",
        ),
    ] {
        by_hand(&scene.path(), bend);
        let error = store.stations(None).unwrap_err();
        let named = matches!(&error, StoreError::Damaged { what }
            if what.contains(part) && what.contains("CP-1"));
        assert!(named, "{bend}: {error}");
        assert!(store.station(&tenant(), &station("CP-2", None).id).is_ok());
    }
}

#[test]
fn a_full_disk_is_told_and_changes_nothing() {
    let scene = Scene::new();
    let mut store = scene.open().unwrap();
    store.add(&station("CP-0", None)).unwrap();
    let pages: i64 = store
        .connection
        .query_row("PRAGMA page_count", (), |row| row.get(0))
        .unwrap();
    store
        .connection
        .query_row(
            &format!("PRAGMA max_page_count = {}", pages + 2),
            (),
            |_| Ok(()),
        )
        .unwrap();
    let rows: Vec<_> = (1..2000)
        .map(|n| station(&format!("CP-{n}"), None))
        .collect();
    let error = store.import(&rows, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("disk"), "{error}");
    assert_eq!(store.stations_count().unwrap(), 1);
}

fn by_hand(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[test]
fn before_the_schema_moves_on_the_database_is_copied_as_it_was() {
    let scene = Scene::new();
    // As the first program left it.
    let old = Connection::open(scene.path()).unwrap();
    old.execute_batch(include_str!("schema_1.sql")).unwrap();
    old.execute_batch(
        "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL,
             program TEXT NOT NULL) STRICT;
         INSERT INTO schema_version VALUES (1, '2026-01-01T00:00:00Z', '0.1.0');",
    )
    .unwrap();
    drop(old);
    scene.open().unwrap().add(&station("CP-1", None)).unwrap();

    let copy = scene.room.path().join("portcullis.db.schema-1");
    let mode = std::os::unix::fs::PermissionsExt::mode(&copy.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let before = Connection::open(&copy).unwrap();
    let version: u32 = before
        .query_row("SELECT max(version) FROM schema_version", (), |row| {
            row.get(0)
        })
        .unwrap();
    let stations: u32 = before
        .query_row("SELECT count(*) FROM station", (), |row| row.get(0))
        .unwrap();
    assert_eq!((version, stations), (1, 0));
    scene.open().unwrap();
    assert_eq!(
        std::fs::read_dir(scene.room.path())
            .unwrap()
            .filter(|file| file
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .contains("schema-"))
            .count(),
        1,
        "a database that is up to date is not copied"
    );
}

#[test]
fn a_copy_is_whole_and_never_written_over() {
    let scene = Scene::new();
    let mut store = scene.open().unwrap();
    store.add(&station("CP-1", Some(b"upstream"))).unwrap();
    let path = scene.room.path().join("copy.db");
    store.copy_to(&path).unwrap();
    store.add(&station("CP-2", None)).unwrap();
    let copy = SqliteStore::open(&path, &scene.key()).unwrap();
    assert_eq!(copy.stations_count().unwrap(), 1);
    assert_eq!(copy.stations(None).unwrap().len(), 1);
    assert!(store.copy_to(&path).is_err());
}

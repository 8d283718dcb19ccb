use super::*;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("record/keys")
    }

    fn keks(&self) -> PathBuf {
        self.0.path().join("keks")
    }

    fn open(&self, root: u8) -> Result<KeyRing, KeyError> {
        KeyRing::open(Root::new([root; 32]), &self.dir(), &self.keks())
    }

    fn init(&self, root: u8) -> Result<KeyRing, KeyError> {
        KeyRing::init(Root::new([root; 32]), &self.dir(), &self.keks())
    }
}

const TODAY: Day = Day(20_779);

#[test]
fn a_day_keeps_its_key_and_each_kind_has_its_own() {
    let place = Place::new();
    let keys = place.init(1).unwrap();
    let made = SegmentKeys::seal(&keys, TODAY).unwrap();
    let again = place.init(1).unwrap();
    assert_eq!(again.log_key(), keys.log_key());
    assert_eq!(
        SegmentKeys::seal(&again, TODAY).unwrap().expose(),
        made.expose()
    );
    assert_eq!(
        SegmentKeys::open(&again, TODAY).unwrap().expose(),
        made.expose()
    );

    let texts = keys.make(KeyKind::Texts, TODAY).unwrap();
    let subjects = keys.make(KeyKind::Subjects, TODAY).unwrap();
    assert!(*texts != *subjects && *texts != *made.expose());
    assert!(place.keks().join("kek-2026-11-22.key").exists());
    assert!(place.dir().join("text-2026-11-22.key").exists());
    assert_eq!(keys.days(KeyKind::Subjects).unwrap(), [TODAY]);

    keys.destroy(KeyKind::Segments, TODAY).unwrap();
    let gone = SegmentKeys::open(&keys, TODAY).unwrap_err();
    assert!(
        matches!(
            gone,
            KeyError::Missing {
                kind: KeyKind::Segments,
                ..
            }
        ),
        "{gone}"
    );
    assert_eq!(keys.days(KeyKind::Segments).unwrap(), []);
}

#[test]
fn no_key_is_ever_made_under_a_second_root() {
    let place = Place::new();
    let missing = place.open(1).err().unwrap();
    assert!(
        matches!(missing, KeyError::NotInitialised { .. }),
        "{missing}"
    );
    let keys = place.init(1).unwrap();
    SegmentKeys::seal(&keys, TODAY).unwrap();
    for opened in [place.open(2), place.init(2)] {
        let error = opened.err().unwrap();
        assert!(matches!(error, KeyError::Sealed { .. }), "{error}");
    }
    fs::remove_file(place.dir().join("log.key")).unwrap();
    for opened in [place.open(1), place.init(1)] {
        let error = opened.err().unwrap();
        assert!(matches!(error, KeyError::LogKeyMissing { .. }), "{error}");
    }
}

#[test]
fn a_key_that_is_moved_or_damaged_does_not_open() {
    let place = Place::new();
    let keys = place.init(1).unwrap();
    SegmentKeys::seal(&keys, TODAY).unwrap();
    let here = place.dir().join("seg-2026-11-22.key");
    for there in ["seg-2026-11-23.key", "text-2026-11-22.key"] {
        fs::copy(&here, place.dir().join(there)).unwrap();
    }
    assert!(matches!(
        SegmentKeys::open(&keys, Day(TODAY.0 + 1)),
        Err(KeyError::Sealed { .. })
    ));
    assert!(matches!(
        keys.make(KeyKind::Texts, TODAY),
        Err(KeyError::Sealed { .. })
    ));

    let whole = fs::read(&here).unwrap();
    for length in 0..whole.len() {
        fs::write(&here, &whole[..length]).unwrap();
        assert!(matches!(
            SegmentKeys::seal(&keys, TODAY),
            Err(KeyError::Sealed { .. })
        ));
        assert_eq!(
            fs::read(&here).unwrap(),
            &whole[..length],
            "never written over"
        );
    }
}

#[test]
fn who_comes_second_finds_the_first_ones_key() {
    let place = Place::new();
    let (one, other) = (place.init(1).unwrap(), place.init(1).unwrap());
    let path = one.path(KeyKind::Texts, TODAY);
    let first = file::make(&path, &one.sealer, (KeyKind::Texts, TODAY)).unwrap();
    let second = file::make(&path, &other.sealer, (KeyKind::Texts, TODAY)).unwrap();
    assert_eq!(first, second);
    let names: Vec<_> = fs::read_dir(place.dir()).unwrap().collect();
    assert_eq!(names.len(), 2, "no draft is left behind: {names:?}");
}

#[test]
fn only_the_owner_can_read_key_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let keys = place.init(1).unwrap();
    SegmentKeys::seal(&keys, TODAY).unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(place.dir().join("seg-2026-11-22.key")), 0o600);
    assert_eq!(mode(place.keks()), 0o700);
    assert_eq!(mode(place.dir()), 0o700);
}

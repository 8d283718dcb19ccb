use age::secrecy::ExposeSecret as _;

use super::*;

/// Little work: these files guard nothing.
fn age_file(dir: &Path, passphrase: &str) -> (PathBuf, Root) {
    let root = Root::draw().unwrap();
    let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(4);
    let file = dir.join("root.age");
    root.write(&file, &recipient).unwrap();
    (file, root)
}

fn opened(file: &Path, opener: Opener) -> Result<Root, KeyError> {
    let file = file.to_owned();
    RootSource::Age { file, opener }.open()
}

fn passphrase(text: &str) -> Opener {
    Opener::Passphrase(SecretString::from(text.to_owned()))
}

#[test]
fn a_root_is_read_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let (file, root) = age_file(dir.path(), "correct horse");
    assert_eq!(
        opened(&file, passphrase("correct horse")).unwrap().0,
        root.0
    );

    let phrase = dir.path().join("phrase");
    fs::write(&phrase, "correct horse\n").unwrap();
    assert_eq!(
        opened(&file, Opener::PassphraseFile(phrase)).unwrap().0,
        root.0
    );
}

#[test]
fn each_thing_that_is_wrong_has_its_own_words() {
    let dir = tempfile::tempdir().unwrap();
    let (file, _) = age_file(dir.path(), "correct horse");
    let error = |file: &Path, opener| opened(file, opener).unwrap_err();

    let wrong = error(&file, passphrase("battery staple"));
    assert!(matches!(wrong, KeyError::WrongPassphrase { .. }), "{wrong}");
    assert!(!wrong.to_string().contains("battery"));

    let missing = error(&dir.path().join("none"), passphrase("x"));
    assert!(matches!(missing, KeyError::RootMissing { .. }), "{missing}");

    let rubbish = dir.path().join("rubbish");
    fs::write(&rubbish, [7; 100]).unwrap();
    assert!(matches!(
        error(&rubbish, passphrase("x")),
        KeyError::NotAge { .. }
    ));

    let mut bytes = fs::read(&file).unwrap();
    bytes.truncate(bytes.len() / 2);
    let torn = dir.path().join("torn");
    fs::write(&torn, bytes).unwrap();
    assert!(matches!(
        error(&torn, passphrase("correct horse")),
        KeyError::NotAge { .. }
    ));

    let identity = dir.path().join("identity");
    fs::write(&identity, "no identity\n").unwrap();
    let none = error(&file, Opener::Identity(identity.clone()));
    assert!(matches!(none, KeyError::OtherOpener { .. }), "{none}");

    let unset = Opener::PassphraseVariable("PORTCULLIS_TEST_NOT_SET".to_owned());
    assert!(matches!(
        error(&file, unset),
        KeyError::VariableMissing { .. }
    ));
    let unset = Opener::PassphraseCredential("none".to_owned());
    assert!(matches!(
        error(&file, unset),
        KeyError::CredentialMissing { .. }
    ));
    let name = "PORTCULLIS_TEST_NOT_SET".to_owned();
    let unset = RootSource::Environment { name }.open().unwrap_err();
    assert!(matches!(unset, KeyError::VariableMissing { .. }), "{unset}");
}

#[test]
fn an_identity_opens_what_was_written_for_it_and_no_other_does() {
    let dir = tempfile::tempdir().unwrap();
    let identity = |name: &str| {
        let path = dir.path().join(name);
        let secret = age::x25519::Identity::generate().to_string();
        fs::write(
            &path,
            format!("# made by a test\n{}\n", secret.expose_secret()),
        )
        .unwrap();
        path
    };
    let (ours, other) = (identity("ours"), identity("other"));
    let root = Root::draw().unwrap();
    let file = dir.path().join("root.age");
    root.write_for_identity(&file, &ours).unwrap();
    assert!(fs::read(&file).unwrap().starts_with(b"-----BEGIN AGE"));

    assert_eq!(opened(&file, Opener::Identity(ours)).unwrap().0, root.0);
    let wrong = opened(&file, Opener::Identity(other)).unwrap_err();
    assert!(matches!(wrong, KeyError::WrongIdentity { .. }), "{wrong}");
    let wrong = opened(&file, passphrase("x")).unwrap_err();
    assert!(matches!(wrong, KeyError::OtherOpener { .. }), "{wrong}");
    let rubbish = dir.path().join("rubbish");
    fs::write(&rubbish, "AGE-SECRET-KEY-1NOT\n").unwrap();
    let wrong = opened(&file, Opener::Identity(rubbish)).unwrap_err();
    assert!(matches!(wrong, KeyError::NotIdentities { .. }), "{wrong}");
}

#[test]
fn an_age_file_is_never_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let (file, root) = age_file(dir.path(), "one");
    let before = fs::read(&file).unwrap();
    let mut recipient = scrypt::Recipient::new(SecretString::from("two".to_owned()));
    recipient.set_work_factor(4);
    assert!(root.write(&file, &recipient).is_err());
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_file_that_asks_for_hours_of_work_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let (file, _) = age_file(dir.path(), "x");
    let bent = dir.path().join("bent.age");
    let mut bytes = Vec::new();
    ArmoredReader::new(fs::read(&file).unwrap().as_slice())
        .read_to_end(&mut bytes)
        .unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let header = text.lines().nth(1).unwrap();
    let work = header.strip_suffix(" 4").unwrap();
    let at = bytes
        .windows(header.len())
        .position(|window| window == header.as_bytes())
        .unwrap();
    bytes.splice(at..at + header.len(), format!("{work} 40").into_bytes());
    fs::write(&bent, bytes).unwrap();
    let error = opened(&bent, passphrase("x")).unwrap_err();
    assert!(
        matches!(error, KeyError::TooMuchWork { required: 40, .. }),
        "{error}"
    );
}

#[test]
fn a_root_is_hexadecimal_or_base64_and_nothing_else() {
    let hex = "0123456789abcdef".repeat(4);
    let bytes = Root::parse(&format!(" {hex}\n")).unwrap().0;
    assert_eq!(bytes[..4], [0x01, 0x23, 0x45, 0x67]);
    let base64 = BASE64_STANDARD.encode(*bytes);
    assert_eq!(Root::parse(&base64).unwrap().0, bytes);
    for text in ["", "00", "password", &hex[1..], &base64[..40]] {
        assert!(Root::parse(text).is_none(), "{text}");
    }
    assert_eq!(format!("{:?}", Root::new([7; 32])), "Root");
}

use ocpp::{Exchange, Frame, Limits, Message, Reader, Side, Version};
use proptest::prelude::*;

use super::*;

fn show(meaning: Meaning, text: &str) -> String {
    let key = PseudonymKey::new([5; 32]);
    let shown = Shown {
        meaning,
        text,
        key: &key,
    };
    shown.to_string()
}

#[test]
fn identifiers_become_pseudonyms_that_stay_the_same() {
    let one = show(Meaning::Token, "04A2B3C4D5E6F7");
    assert!(
        one.starts_with("token:") && one.len() == "token:".len() + 12,
        "{one}"
    );
    assert_eq!(one, show(Meaning::Token, "04a2b3c4d5e6f7"));
    assert_ne!(one, show(Meaning::Token, "04A2B3C4D5E6F8"));
    let contract = show(Meaning::Contract, "04A2B3C4D5E6F7");
    assert_eq!(contract.split(':').nth(1), one.split(':').nth(1));
    let key = PseudonymKey::new([6; 32]);
    let other = Shown {
        meaning: Meaning::Token,
        text: "04A2B3C4D5E6F7",
        key: &key,
    };
    assert_ne!(one, other.to_string());
}

#[test]
fn values_are_shown_by_their_meaning() {
    for (meaning, text, expected) in [
        (Meaning::Secret, "hunter2hunter", "secret(13 bytes)"),
        (Meaning::ConfigValue, "true", "value(4 bytes)"),
        (Meaning::Certificate, "MIIB", "certificate(4 bytes)"),
        (Meaning::FreeText, "call Ann", "text(8 bytes)"),
        (Meaning::VendorData, "{}", "data(2 bytes)"),
        (Meaning::Status, "Accepted", "Accepted"),
        (
            Meaning::Model,
            "line\nbreak \u{1b}[31m",
            "line\\u{a}break \\u{1b}[31m",
        ),
        (Meaning::Model, "abc\u{202e}fed", "abc\\u{202e}fed"),
        (
            Meaning::Url,
            "ftp://ann:pw@host:21/dir/x?key=1#f",
            "ftp://host:21/dir/x",
        ),
        (Meaning::Url, "https://host", "https://host"),
        (Meaning::Url, "https://host?token=a@b", "https://(14 bytes)"),
        (Meaning::Url, "ftp://ann:p/w@host/", "ftp://(13 bytes)"),
        (Meaning::Url, "ann:pw@host", "url(11 bytes)"),
        (Meaning::Url, "http://a\\@b", "url(11 bytes)"),
        (Meaning::Url, "", "url(0 bytes)"),
    ] {
        assert_eq!(show(meaning, text), expected);
    }
}

#[test]
fn a_message_is_shown_by_what_its_fields_mean() {
    let (mut reader, open) = (Reader::new(), Exchange::new(1));
    let limits = Limits::default();
    let mut show = |tag: &str| {
        let text = format!(r#"[2,"1","Authorize",{{"idTag":"{tag}"}}]"#);
        let frame = Frame::text(text.as_bytes());
        let message = reader.read(frame, Side::Station, Version::V16, &limits, &open);
        let Message::Call(call) = message else {
            panic!("{message:?}");
        };
        let key = PseudonymKey::new([5; 32]);
        let facts = call.facts.iter();
        facts
            .map(|fact| super::shown(&call.facts, fact, &key))
            .collect::<Vec<_>>()
    };
    let plain = show("04A2B3C4");
    assert_eq!(plain, [super::tests::show(Meaning::Token, "04A2B3C4")]);
    assert_eq!(
        plain,
        show("\\u00304A2b3c4"),
        "escaped, and in another case"
    );
}

#[test]
fn long_values_are_cut() {
    let shown = show(Meaning::Serial, &"é".repeat(500));
    assert_eq!(shown.chars().count(), SHOWN_CHARS_MAX + 1);
    assert!(shown.ends_with('…'));
}

const HIDDEN: [Meaning; 12] = [
    Meaning::Token,
    Meaning::Person,
    Meaning::Contract,
    Meaning::Vehicle,
    Meaning::Sim,
    Meaning::Secret,
    Meaning::ConfigValue,
    Meaning::Certificate,
    Meaning::Signature,
    Meaning::FreeText,
    Meaning::VendorData,
    Meaning::Location,
];

proptest! {
    /// A planted value has a letter no output can have by chance.
    #[test]
    fn no_planted_value_is_shown(before: String, planted in "Q[A-Z0-9]{3,20}Q", after: String) {
        for meaning in HIDDEN {
            let shown = show(meaning, &format!("{before}{planted}{after}"));
            prop_assert!(!shown.contains(&planted), "{:?}: {}", meaning, shown);
        }
    }

    #[test]
    fn no_url_shows_its_user_or_query(
        planted in "Q[A-Z0-9]{3,20}Q", noise in "[a-z:/?#@\\\\ ]{0,8}", more in "[a-z:/?#@\\\\ ]{0,8}",
    ) {
        for url in [
            format!("ftp://{noise}{planted}{more}@host/"),
            format!("ftp://host/path?{noise}{planted}{more}"),
            format!("ftp://host#{noise}{planted}{more}"),
        ] {
            let shown = show(Meaning::Url, &url);
            prop_assert!(!shown.contains(&planted), "{} gives {}", url, shown);
        }
    }

    #[test]
    fn nothing_shown_breaks_a_line(text: String) {
        for meaning in [Meaning::Model, Meaning::Url, Meaning::Serial, Meaning::VendorId] {
            prop_assert!(!show(meaning, &text).contains(char::is_control));
        }
    }
}

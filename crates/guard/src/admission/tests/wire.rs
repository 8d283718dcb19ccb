//! What is read from the request: path, header, subprotocols.

use proptest::prelude::*;

use super::*;

#[test]
fn the_first_allowed_version_is_chosen() {
    let all = Protocols::default();
    let old = Protocols {
        allowed: vec![Version::V16],
        unnamed: Some(Version::V16),
    };
    for (headers, protocols, expected) in [
        (vec!["ocpp1.6, ocpp2.0.1"], &all, Some((Version::V16, true))),
        (
            vec!["ocpp2.1", "ocpp2.0.1"],
            &all,
            Some((Version::V21, true)),
        ),
        (
            vec!["ocpp1.5,\tocpp2.0.1"],
            &all,
            Some((Version::V201, true)),
        ),
        (vec!["ocpp2.1,ocpp1.6"], &old, Some((Version::V16, true))),
        (vec!["OCPP1.6"], &all, None),
        (vec!["ocpp1.5"], &old, None),
        (vec!["ocpp2.1"], &old, None),
        (vec![], &old, Some((Version::V16, false))),
        (vec!["", " ,"], &old, Some((Version::V16, false))),
        (vec![], &all, None),
    ] {
        let chosen = Offered::read(headers.iter().copied()).choose(protocols);
        assert_eq!(chosen, expected, "{headers:?}");
    }
    let many = vec!["ocpp1.6,ocpp1.6,nonsense,"; 1000];
    assert_eq!(Offered::read(many).versions, [Version::V16]);
}

#[test]
fn an_identity_is_decoded_once_and_is_no_path() {
    for (segment, expected) in [
        ("CP1", Some("CP1")),
        ("CP%201", Some("CP 1")),
        ("a%3Ab", Some("a:b")),
        ("a:b", Some("a:b")),
        ("a+b", Some("a+b")),
        ("S%C3%A4ule", Some("Säule")),
        ("%43%50%31", Some("CP1")),
        ("CP1%2F..%2FCP2", None),
        ("CP1%5cCP2", None),
        ("CP1%252F", None),
        ("CP1%00", None),
        ("CP1%0a", None),
        ("CP1%20", None),
        ("%20CP1", None),
        ("CP1%", None),
        ("CP1%2", None),
        ("CP1%zz", None),
        ("CP1%+1", None),
        ("%ff", None),
        ("%C0%AF", None),
        ("Säule", None),
        ("CP 1", None),
        ("CP1/", None),
        ("a\0", None),
        ("", None),
    ] {
        let identity = identify(segment).ok();
        assert_eq!(
            identity.as_ref().map(StationId::as_str),
            expected,
            "{segment}"
        );
    }
    assert!(identify(&"a".repeat(255)).is_ok());
    assert!(identify(&"%61".repeat(255)).is_ok());
    assert!(identify(&"a".repeat(256)).is_err());
    assert!(identify(&"a".repeat(100_000)).is_err());
}

proptest! {
    #[test]
    fn no_path_or_offer_makes_us_panic(segment: String, offers: Vec<String>) {
        if let Ok(identity) = identify(&segment) {
            prop_assert!(!identity.as_str().contains(['/', '\\', '%', '\0']));
        }
        prop_assert!(Offered::read(offers.iter().map(String::as_str)).versions.len() <= 3);
    }

    #[test]
    fn an_encoded_identity_comes_back(name in "[ -~&&[^/\\\\%]]{1,60}") {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let decoded = identify(&encoded).ok();
        let fits = name.trim() == name && !matches!(name.as_str(), "." | "..");
        prop_assert_eq!(decoded.as_ref().map(StationId::as_str), fits.then_some(name.as_str()));
    }
}

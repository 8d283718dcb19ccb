//! The negotiation of RFC 7692 as a table: what is offered, what we answer.

use httparse::Header;

use super::{Fields, OFFER, agreed, answer, first_acceptable};
use crate::ws::DeflateTerms;

const KEPT: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// The answer to a request with these lines of the field; `None` when nothing is granted.
fn answer_to(lines: &[&str]) -> Option<String> {
    let headers: Vec<Header<'_>> = lines.iter().map(|line| header(line)).collect();
    first_acceptable(Fields(&headers)).map(answer)
}

fn header(value: &str) -> Header<'_> {
    Header {
        name: "Sec-WebSocket-Extensions",
        value: value.as_bytes(),
    }
}

#[test]
fn an_offer_that_we_can_keep_is_granted_without_any_context() {
    let plain = [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=8",
        "permessage-deflate; client_max_window_bits=\"15\"",
        "permessage-deflate;server_no_context_takeover;client_no_context_takeover",
        "  permessage-deflate ; client_max_window_bits = 10 ",
        "x-webkit-deflate-frame, permessage-deflate",
        "mux; max-channels=\"4, 5; permessage-deflate\", permessage-deflate",
    ];
    for offer in plain {
        assert_eq!(answer_to(&[offer]).as_deref(), Some(KEPT), "{offer}");
    }
}

#[test]
fn a_window_that_is_asked_for_is_kept_and_named() {
    for bits in 8..=15 {
        for offer in [
            format!("permessage-deflate; server_max_window_bits={bits}"),
            format!(
                "permessage-deflate; client_max_window_bits; server_max_window_bits=\"{bits}\""
            ),
        ] {
            let expected = format!("{KEPT}; server_max_window_bits={bits}");
            assert_eq!(answer_to(&[&offer]), Some(expected), "{offer}");
        }
    }
}

#[test]
fn an_offer_that_is_not_written_as_it_must_be_is_passed_over() {
    let wrong = [
        "",
        "permessage-bzip2",
        "Permessage-Deflate",
        "permessage-deflate; unknown",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=\"\"",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=08",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; server_max_window_bits=+9",
        "permessage-deflate; server_max_window_bits=\"9",
        "permessage-deflate; server_max_window_bits='9'",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; ; client_max_window_bits",
        "permessage-deflate;",
        "permessage-deflate client_max_window_bits",
        "mux; channels=\"4, permessage-deflate",
    ];
    for offer in wrong {
        assert_eq!(answer_to(&[offer]), None, "{offer}");
        let next = format!("{offer}, permessage-deflate; server_max_window_bits=10");
        let lines = [offer, "permessage-deflate; server_max_window_bits=10"];
        let expected = format!("{KEPT}; server_max_window_bits=10");
        assert_eq!(answer_to(&lines), Some(expected.clone()), "{lines:?}");
        if offer.matches('"').count() % 2 == 0 {
            assert_eq!(answer_to(&[&next]), Some(expected), "{next}");
        }
    }
}

#[test]
fn of_an_endless_list_of_offers_only_the_first_ones_are_looked_at() {
    let others = vec!["x"; super::EXTENSIONS_MAX].join(", ");
    let offer = format!("{others}, permessage-deflate");
    assert_eq!(answer_to(&[&offer]), None);
}

/// `None` where the connection fails.
fn agreed_on(lines: &[&str], offered: bool) -> Option<Option<DeflateTerms>> {
    let headers: Vec<Header<'_>> = lines.iter().map(|line| header(line)).collect();
    agreed(Fields(&headers), offered).ok()
}

#[test]
fn a_csms_agrees_on_terms_that_we_keep_or_there_is_no_connection() {
    let terms = |window_bits| Some(Some(DeflateTerms { window_bits }));
    let server = "permessage-deflate; server_no_context_takeover";
    let table = [
        (server.to_owned(), terms(None)),
        (KEPT.to_owned(), terms(None)),
        (format!("{server}; server_max_window_bits=9"), terms(None)),
        (
            format!("{server}; client_max_window_bits=9"),
            terms(Some(9)),
        ),
        (
            format!("{server}; client_max_window_bits=\"15\""),
            terms(Some(15)),
        ),
        // It would keep its context, and have us keep it.
        ("permessage-deflate".to_owned(), None),
        (
            "permessage-deflate; client_no_context_takeover".to_owned(),
            None,
        ),
        (format!("{server}; client_max_window_bits"), None),
        (format!("{server}; client_max_window_bits=7"), None),
        (format!("{server}; server_max_window_bits"), None),
        (format!("{server}; {server}"), None),
        (format!("{server}; unknown"), None),
        (format!("{server}, {server}"), None),
        (format!("{server}, mux"), None),
        ("mux".to_owned(), None),
        (String::new(), None),
    ];
    for (line, expected) in &table {
        assert_eq!(agreed_on(&[line], true), *expected, "{line}");
        assert_eq!(agreed_on(&[line], false), None, "not offered: {line}");
    }
    assert_eq!(agreed_on(&[server, server], true), None);
    assert_eq!(agreed_on(&[], true), Some(None), "it need not agree");
    assert_eq!(agreed_on(&[], false), Some(None));
}

#[test]
fn our_offer_is_one_that_we_would_take() {
    assert_eq!(answer_to(&[OFFER]).as_deref(), Some(KEPT));
}

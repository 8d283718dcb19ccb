//! How much is recognised of what was generated for each form, and how little of what is none.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::*;
use crate::vault::emaid;

/// Samples of each form.
const SAMPLES: usize = 500;

fn forms_in(text: &str) -> Vec<Form> {
    recognise(text).into_iter().map(|hit| hit.form).collect()
}

fn capitals(pattern: &'static str) -> BoxedStrategy<String> {
    proptest::string::string_regex(pattern).unwrap().boxed()
}

/// What a form may look like, by people's habits.
fn samples(form: Form) -> BoxedStrategy<String> {
    match form {
        Form::Pem => (
            prop::sample::select(vec!["RSA PRIVATE KEY", "EC PRIVATE KEY", "CERTIFICATE"]),
            capitals("[A-Za-z0-9+/]{64}"),
        )
            .prop_map(|(label, body)| {
                format!("-----BEGIN {label}-----\\n{body}\\n-----END {label}-----")
            })
            .boxed(),
        Form::Jwt => {
            capitals("eyJ[A-Za-z0-9_-]{20,60}\\.eyJ[A-Za-z0-9_-]{20,200}\\.[A-Za-z0-9_-]{43}")
        }
        Form::UserInfo => {
            capitals("(ftp|https|wss)://[a-z]{3,8}:[A-Za-z0-9!$&]{6,16}@[a-z]{3,10}\\.example")
        }
        Form::Email => {
            capitals("[a-zA-Z][a-zA-Z0-9._+-]{0,20}[a-z0-9]@[a-z]{2,12}(\\.[a-z]{2,8}){1,2}")
        }
        Form::Iban => (
            prop::sample::select(vec![
                ("DE", 18_usize),
                ("NL", 14),
                ("AT", 16),
                ("BE", 12),
                ("ES", 20),
            ]),
            capitals("[0-9]{20}"),
            any::<bool>(),
        )
            .prop_map(|((country, length), digits, spaced)| {
                let number = super::iban::tests::with_check_digits(country, &digits[..length]);
                if spaced {
                    grouped(&number, 4, ' ')
                } else {
                    number
                }
            })
            .boxed(),
        Form::Contract => (
            capitals("(DE|FR|NL|AT|CH)"),
            capitals("[A-Z0-9]{3}"),
            capitals("C[0-9]{6}[A-Z0-9]{2}"),
            any::<bool>(),
        )
            .prop_map(|(country, provider, instance, dashed)| {
                let digit = emaid::tests::check_digit(&format!("{country}{provider}{instance}"));
                match dashed {
                    true => format!("{country}-{provider}-{instance}-{digit}"),
                    false => format!("{country}{provider}{instance}{digit}"),
                }
            })
            .boxed(),
        Form::Vin => (
            capitals("[1-5][A-HJ-NPR-Z0-9]{7}0[A-HJ-NPR-Z0-9]{2}[0-9]{6}"),
            any::<bool>(),
        )
            .prop_map(|(number, lower)| {
                let number = super::vin::tests::with_check_digit(&number);
                if lower { number.to_lowercase() } else { number }
            })
            .boxed(),
        Form::Card => (
            capitals("(4[0-9]{14}|5[1-5][0-9]{13})"),
            prop::sample::select(vec!["", " ", "-"]),
        )
            .prop_map(|(digits, separator)| {
                let number = super::card::tests::with_check_digit(&digits);
                match separator.chars().next() {
                    Some(separator) => grouped(&number, 4, separator),
                    None => number,
                }
            })
            .boxed(),
        Form::Sim => capitals("89[0-9]{16}")
            .prop_map(|digits| super::card::tests::with_check_digit(&digits))
            .boxed(),
        Form::Phone => capitals(
            "(\\+49 (30|171|89) [0-9]{6,8}|\\+31[1-9][0-9]{8}|0033 [1-9]( [0-9]{2}){4}|tel:\\+?[1-9][0-9]{8}|0(171|30|89)[ /-][0-9]{7}|\\(0(171|30|89)\\) [0-9]{7})",
        ),
    }
}

fn grouped(number: &str, length: usize, separator: char) -> String {
    let mut out = String::new();
    for (place, letter) in number.chars().enumerate() {
        if place > 0 && place % length == 0 {
            out.push(separator);
        }
        out.push(letter);
    }
    out
}

/// What may stand around.
const AROUND: [(&str, &str); 6] = [
    ("", ""),
    ("call ", " today"),
    ("{\"value\":\"", "\"}"),
    ("error: (", ")"),
    ("user=", ";next"),
    ("line\\n", "\\nline"),
];

/// Of each form, what share of its samples is found whole, wherever it stands.
fn recall() -> BTreeMap<Form, (usize, usize, Vec<String>)> {
    let mut runner = TestRunner::deterministic();
    let mut recall = BTreeMap::new();
    for form in Form::ALL {
        let (mut found, mut missed) = (0, Vec::new());
        for place in 0..SAMPLES {
            let sample = samples(form).new_tree(&mut runner).unwrap().current();
            let (before, after) = AROUND[place % AROUND.len()];
            let text = format!("{before}{sample}{after}");
            let secret = match form {
                Form::UserInfo => sample
                    .split("://")
                    .nth(1)
                    .unwrap()
                    .split('@')
                    .next()
                    .unwrap(),
                _ => &sample,
            };
            let start = text.find(secret).unwrap();
            let whole = start..start + secret.len();
            let covered = recognise(&text)
                .iter()
                .any(|hit| hit.place.start <= whole.start && hit.place.end >= whole.end);
            match covered {
                true => found += 1,
                false => missed.push(text),
            }
        }
        recall.insert(form, (found, SAMPLES, missed));
    }
    recall
}

#[test]
fn of_each_form_nearly_everything_is_recognised() {
    for (form, (found, of, missed)) in recall() {
        println!("{:<18} {found} of {of}", form.name());
        assert!(found * 100 >= of * 99, "{form:?}: {:?}", missed.first());
    }
}

/// What stations and CSMSs say that names nobody.
const ORDINARY: &[&str] = &[
    "Connector locked, waiting for EV",
    "2026-11-22T15:42:34.123Z",
    "2026-11-22T15:42:34+01:00",
    "firmware 1.14.2-rc3 build 20260114 sha 9f86d081884c7d659a2feaa0c55ad015",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "6f1c2a9e-4b7d-4e1a-9c3b-2f8e5d6a7b8c",
    "Energy.Active.Import.Register",
    "meter 0012345678 kWh at 230.1 V, 16.0 A, 11.04 kW",
    "CCS2, 1000 V, 500 A; error 0x8004A1F2",
    "192.168.178.42:8080",
    "fe80::1ff:fe23:4567:890a",
    "00:1A:2B:3C:4D:5E",
    "MAC 001A2B3C4D5E",
    "wss://csms.example/ocpp/CS-000123",
    "https://files.example/fw/v2/image.bin",
    "SN ABB-TAC-11-2233-4455-6677",
    "DE*ABC*E123456*1",
    "transaction 1234567890123",
    "{\"soc\":80,\"range\":312,\"temp\":21.5}",
    "1795305600123",
    "temperature 45.2/46.1/44.9 C",
    "AlarmCode=12;Sub=7;Time=1795305600",
    "offset +0100, slot 3",
    "12345678901234567890",
    "TWljcm9wcm9jZXNzb3I=",
    "user@localhost",
];

#[test]
fn what_stations_ordinarily_say_is_left_alone() {
    for text in ORDINARY {
        assert_eq!(forms_in(text), [], "{text}");
        assert_eq!(without_identifiers(text), *text);
    }
}

#[test]
fn numbers_that_only_look_like_it_are_seldom_taken() {
    let mut runner = TestRunner::deterministic();
    for (pattern, of_a_thousand) in [
        ("[0-9]{10}", 0),
        ("[0-9]{14}", 25),
        ("[0-9]{16}", 80),
        ("[A-F0-9]{14}", 0),
        ("[A-Z0-9]{15}", 40),
        ("[A-Z0-9]{17}", 40),
        ("[a-z ]{40}", 0),
    ] {
        let strategy = proptest::string::string_regex(pattern).unwrap();
        let taken = (0..1000)
            .filter(|_| {
                let text = strategy.new_tree(&mut runner).unwrap().current();
                !recognise(&text).is_empty()
            })
            .count();
        assert!(taken <= of_a_thousand, "{taken} of 1000 {pattern}");
    }
}

#[test]
fn a_log_line_names_the_form_and_nothing_else() {
    let line = "Frau M. (anna@example.org, +49 171 1234567) pays with 4111 1111 1111 1111";
    assert_eq!(
        without_identifiers(line),
        "Frau M. ([e-mail address], [phone number]) pays with [payment card]"
    );
    // A station may be called so, and its operator has to know which.
    assert_eq!(
        without_certain_identifiers("4111111111111111 is at ftp://anna:pass@files.example"),
        "4111111111111111 is at ftp://[user information]@files.example"
    );
}

#[test]
fn hostile_texts_are_gone_through_once() {
    for part in [
        "eyJ",
        "00 1 ",
        "+1 ",
        "@",
        "a@",
        "://",
        "-----BEGIN ",
        "4",
        "4-",
        "DE-",
        "0(",
        "://@",
    ] {
        let text = part.repeat((1 << 20) / part.len());
        let began = std::time::Instant::now();
        recognise(&text);
        // Once takes some tenths of a second without optimisation; squared, it would take hours.
        assert!(began.elapsed().as_secs() < 20, "{part}");
    }
}

proptest! {
    #[test]
    fn nothing_overlaps_and_every_place_is_a_place_of_the_text(
        text in "([ -~]|é|@|\\\\n|-----BEGIN |eyJ|://|\\+49|4111111111111111|DE89370400440532013000){0,40}"
    ) {
        let mut end = 0;
        for hit in recognise(&text) {
            prop_assert!(hit.place.start >= end && hit.place.end > hit.place.start);
            prop_assert!(text.get(hit.place.clone()).is_some());
            end = hit.place.end;
        }
        let _ = without_identifiers(&text);
    }
}

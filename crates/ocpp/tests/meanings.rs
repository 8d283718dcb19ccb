//! What the catalogue says fields mean, held against what their names give away: a field added with
//! the next edition of the schemas must not slip through as plain.

use std::collections::BTreeSet;

use ocpp::catalogue::{self, Field, Kind, Schema};
use ocpp::{Meaning, Version};

/// Every field of every message, once for each place it stands in.
fn fields() -> Vec<(&'static Schema, &'static Field)> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let actions = Version::ALL.into_iter().flat_map(catalogue::actions);
    let mut waiting: Vec<&Schema> = actions
        .flat_map(|action| [Some(action.request), action.answer])
        .flatten()
        .collect();
    while let Some(schema) = waiting.pop() {
        if seen.insert(std::ptr::from_ref(schema)) {
            found.extend(schema.fields.iter().map(|field| (schema, field)));
            waiting.extend(schema.fields.iter().filter_map(|field| object(&field.kind)));
        }
    }
    found
}

fn object(kind: &Kind) -> Option<&'static Schema> {
    match kind {
        Kind::Object(schema) => Some(schema),
        Kind::List { of, .. } => object(of),
        _ => None,
    }
}

#[test]
fn what_a_name_gives_away_is_never_plain() {
    use Meaning::{Certificate, Contract, Person, Secret, Signature, Sim, Token, Url};
    let telling: [(&str, &[Meaning]); 12] = [
        ("password", &[Secret]),
        ("simpin", &[Secret]),
        ("idtag", &[Token]),
        ("idtoken", &[Token]),
        ("emaid", &[Contract]),
        ("iccid", &[Sim]),
        ("imsi", &[Sim]),
        ("url", &[Url]),
        ("certificatechain", &[Certificate]),
        ("customeridentifier", &[Person]),
        ("vatnumber", &[Person]),
        ("signature", &[Signature]),
    ];
    for (schema, field) in fields() {
        let holds_text = match &field.kind {
            Kind::List { of, .. } => matches!(of, Kind::Text { .. }),
            kind => matches!(kind, Kind::Text { .. }),
        };
        let name = field.name.to_lowercase();
        for (part, meanings) in telling {
            assert!(
                !holds_text || !name.contains(part) || meanings.contains(&field.meaning),
                "{}.{} means {:?}",
                schema.name,
                field.name,
                field.meaning
            );
        }
    }
}

#[test]
fn every_date_time_is_a_timestamp_and_all_custom_data_the_vendors() {
    for (schema, field) in fields() {
        let expected = match (&field.kind, field.name) {
            (Kind::DateTime { .. }, _) => Meaning::Timestamp,
            (_, "customData") => Meaning::VendorData,
            _ => continue,
        };
        assert_eq!(field.meaning, expected, "{}.{}", schema.name, field.name);
    }
}

#[test]
fn what_holds_other_fields_leaves_the_meaning_to_them() {
    for (schema, field) in fields() {
        let whole = field.meaning == Meaning::Plain || field.name == "customData";
        assert!(
            object(&field.kind).is_none() || whole,
            "{}.{} means {:?}, beside what is inside",
            schema.name,
            field.name,
            field.meaning
        );
    }
}

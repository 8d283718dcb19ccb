//! The compiled catalogue: every message of every version is there, and every name finds itself.

use std::collections::BTreeSet;

use ocpp::catalogue::{self, Field, Kind, Schema};
use ocpp::{Meaning, Version};

/// Every schema that a version's messages reach.
fn schemas(version: Version) -> Vec<&'static Schema> {
    let mut found: Vec<&'static Schema> = Vec::new();
    let mut names = BTreeSet::new();
    let mut open: Vec<&'static Schema> = catalogue::actions(version)
        .iter()
        .flat_map(|action| [Some(action.request), action.answer])
        .flatten()
        .collect();
    while let Some(schema) = open.pop() {
        if !names.insert(schema.name) {
            continue;
        }
        found.push(schema);
        for field in schema.fields {
            let mut kind = &field.kind;
            while let Kind::List { of, .. } = kind {
                kind = of;
            }
            if let Kind::Object(inner) = kind {
                open.push(inner);
            }
        }
    }
    found
}

#[test]
fn every_message_of_every_version_is_known() {
    for (version, count) in [(Version::V16, 39), (Version::V201, 64), (Version::V21, 91)] {
        let actions = catalogue::actions(version);
        assert_eq!(actions.len(), count, "{version}");
        for (index, action) in actions.iter().enumerate() {
            assert_eq!(usize::from(action.index), index);
            assert_eq!(action.version, version);
            let found = catalogue::action(version, action.name);
            assert!(
                found.is_some_and(|found| std::ptr::eq(found, action)),
                "{}",
                action.name
            );
            let upper = action.name.to_uppercase();
            assert!(catalogue::action(version, &upper).is_none(), "{upper}");
        }
        assert!(catalogue::action(version, "").is_none());
        assert!(catalogue::action(version, "NoSuchAction").is_none());
    }
    assert!(catalogue::action(Version::V16, "TransactionEvent").is_none());
}

#[test]
fn only_the_send_has_no_answer() {
    for version in Version::ALL {
        for action in catalogue::actions(version) {
            let send = action.name == "NotifyPeriodicEventStream";
            assert_eq!(action.answer.is_none(), send, "{} {}", version, action.name);
        }
    }
}

#[test]
fn every_field_and_every_value_finds_itself() {
    for version in Version::ALL {
        for schema in schemas(version) {
            for (bit, field) in schema.fields.iter().enumerate() {
                let found = schema.field(field.name);
                assert!(found.is_some_and(|found| std::ptr::eq(found, field)));
                assert!(bit < 64);
                if let Kind::Choice(choice) = field.kind {
                    assert!(choice.values.iter().all(|value| choice.allows(value)));
                    assert!(!choice.allows("") && !choice.allows("NoSuchValue"));
                }
            }
            for absent in [
                "",
                "noX",
                "noSuchField",
                "aNameThatIsLongerThanAnyFieldInTheCatalogue",
            ] {
                assert!(
                    schema.field(absent).is_none(),
                    "{absent} in {}",
                    schema.name
                );
            }
            let beyond = u64::MAX
                .checked_shl(schema.fields.len() as u32)
                .unwrap_or(0);
            assert_eq!(schema.required & beyond, 0, "{}", schema.name);
        }
    }
}

#[test]
fn boot_notification_reads_as_the_standard_has_it() {
    let boot = catalogue::action(Version::V16, "BootNotification")
        .unwrap()
        .request;
    let field = |name| boot.field(name).unwrap();
    let required = |field: &Field| {
        let bit = boot
            .fields
            .iter()
            .position(|other| std::ptr::eq(other, field))
            .unwrap();
        boot.required >> bit & 1 == 1
    };
    let vendor = field("chargePointVendor");
    assert!(matches!(vendor.kind, Kind::Text { max: 20 }));
    assert_eq!(vendor.meaning, Meaning::Maker);
    assert!(required(vendor));
    assert!(!required(field("imsi")));
    assert_eq!(field("imsi").meaning, Meaning::Sim);
    assert!(!boot.open);
}

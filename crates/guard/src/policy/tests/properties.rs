//! What holds whatever the two sides say.

use proptest::prelude::*;

use super::*;

/// Undoes [`crate::Refusal::own`]'s escapes; just enough of RFC 8259 for what we write.
fn strings_of(own: &str) -> Vec<String> {
    let (mut found, mut characters) = (Vec::new(), own.chars());
    while characters.by_ref().any(|character| character == '"') {
        let mut text = String::new();
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                '\\' => match characters.next().unwrap() {
                    'u' => {
                        let digits: String = characters.by_ref().take(4).collect();
                        let code = u32::from_str_radix(&digits, 16).unwrap();
                        text.push(char::from_u32(code).unwrap());
                    }
                    plain => text.push(plain),
                },
                plain => {
                    assert!(plain >= ' ');
                    text.push(plain);
                }
            }
        }
        found.push(text);
    }
    found
}

proptest! {
    #[test]
    fn our_error_is_sound_json_whatever_the_id_and_path(
        id in "(?s).{0,40}", path in "(?s).{0,400}",
    ) {
        let mut scene = Scene::with(Version::V201, |policy| policy.controls.schema = Mode::Enforce);
        let faults = [fault(SchemaFaultKind::WrongType, &path)];
        let told = scene.faulty_call(Station, &id, "Heartbeat", "{}", &faults);
        let (_, own) = told.own.unwrap();
        let strings = strings_of(&own);
        prop_assert_eq!(strings.len(), 3);
        prop_assert_eq!(&strings[0], &id);
        prop_assert_eq!(&strings[1], "TypeConstraintViolation");
        prop_assert!(strings[2].chars().count() <= 255);
        let framed = own.starts_with("[4,\"") && own.ends_with("\",{}]");
        prop_assert!(framed, "{}", own);
    }

    /// However the two sides behave, no answer passes that was not asked for, and none twice.
    #[test]
    fn answers_never_outnumber_calls(
        steps in prop::collection::vec((any::<bool>(), any::<bool>(), 0..6_u8, 0..3_u8, 0..90_u64), 0..200),
    ) {
        let mut scene = Scene::new(Version::V16);
        let mut owed = std::collections::HashMap::new();
        for (station, asks, id, body, seconds) in steps {
            scene.wait(seconds);
            let from = if station { Station } else { Csms };
            let id = id.to_string();
            if asks {
                let told = scene.call(from, &id, "DataTransfer", &format!("{{\"n\":{body}}}"));
                if told.outcome == Outcome::Forwarded {
                    owed.insert((from, id), true);
                }
            } else {
                let told = scene.answer(from, &id);
                let was_owed = owed.insert((from.other(), id), false).unwrap_or(false);
                prop_assert!(told.outcome != Outcome::Forwarded || was_owed);
            }
        }
    }
}

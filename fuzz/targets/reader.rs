//! Arbitrary bytes as an OCPP-J message, of every version and from both sides.
//!
//! The first byte says in which conversation the message is heard, the second one which CALL of it
//! waits for an answer; the rest is the message.

#![no_main]

use std::cell::RefCell;

use fuzz::{messages, plant};
use libfuzzer_sys::fuzz_target;
use ocpp::catalogue::{ActionFacts, actions};
use ocpp::{
    Action, Facts, Frame, HardFault, Limits, Message, OpenCalls, Reader, SchemaFault, Side, Version,
};

/// What the first two bytes say.
struct Conversation {
    version: Version,
    from: Side,
    text: bool,
    asked: Option<Option<&'static ActionFacts>>,
}

impl Conversation {
    fn new(setting: u8, call: u8) -> Conversation {
        let version = Version::ALL[usize::from(setting) % 3];
        let known = actions(version);
        Conversation {
            version,
            from: if setting & 4 == 0 {
                Side::Station
            } else {
                Side::Csms
            },
            text: setting & 8 == 0,
            asked: match call {
                255 => None,
                254 => Some(None),
                place => Some(Some(&known[usize::from(place) % known.len()])),
            },
        }
    }
}

impl OpenCalls for Conversation {
    fn action_of(&self, _: Side, _: &str) -> Option<Option<&'static ActionFacts>> {
        self.asked
    }
}

thread_local! {
    static READER: RefCell<Reader> = RefCell::new(Reader::new());
    static LIMITS: Limits = Limits::default();
}

fuzz_target!(init: plant(seeds()), |data: &[u8]| {
    let [setting, call, message @ ..] = data else {
        return;
    };
    let conversation = Conversation::new(*setting, *call);
    READER.with_borrow_mut(|reader| hear(reader, &conversation, message));
    // A reader that has read something must read the next message like a fresh one.
    if setting & 16 != 0 {
        READER.with_borrow_mut(|used| agree(used, &mut Reader::new(), &conversation, message));
    }
});

fn read<'m>(reader: &'m mut Reader, heard: &Conversation, message: &'m [u8]) -> Message<'m> {
    let frame = if heard.text {
        Frame::text(message)
    } else {
        Frame::binary(message)
    };
    LIMITS.with(|limits| reader.read(frame, heard.from, heard.version, limits, heard))
}

fn hear(reader: &mut Reader, heard: &Conversation, message: &[u8]) {
    match read(reader, heard, message) {
        Message::Call(call) | Message::Send(call) => {
            assert_readable(message, call.id, call.faults, &call.facts);
            assert_eq!(call.frame.bytes(), message);
            if let Action::Known(facts) = call.action {
                assert_eq!(facts.version, heard.version);
            }
        }
        Message::Answer(answer) => {
            assert_readable(message, answer.id, answer.faults, &answer.facts);
            assert_eq!(answer.frame.bytes(), message);
        }
        Message::Unreadable(told) => {
            assert!(told.at <= message.len());
            let never_json = matches!(
                told.fault,
                HardFault::NotJson | HardFault::TrailingData | HardFault::InvalidUtf8
            );
            assert!(
                !never_json || !is_json(message),
                "{:?} at {}",
                told.fault,
                told.at
            );
        }
    }
}

/// What was accepted is what every other parser would accept, and every fact points into it.
fn assert_readable(message: &[u8], id: &str, faults: &[SchemaFault], facts: &Facts<'_>) {
    let json: serde_json::Value = serde_json::from_slice(message).expect("accepted text is JSON");
    assert_eq!(json[1].as_str(), Some(id));
    assert!(id.len() <= Limits::MESSAGE_ID_BYTES_MAX);
    assert!(faults.len() <= Limits::FAULTS_MAX);
    assert!(facts.iter().count() <= Limits::FACTS_MAX);
    for fact in facts.iter() {
        let span = message.get(fact.start as usize..fact.end as usize);
        let text = std::str::from_utf8(span.expect("a span within the message"));
        assert_eq!(text, Ok(facts.text(fact)));
    }
}

fn is_json(message: &[u8]) -> bool {
    // What serde_json skips it does not check to be UTF-8.
    std::str::from_utf8(message)
        .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

fn agree(used: &mut Reader, fresh: &mut Reader, heard: &Conversation, message: &[u8]) {
    let used = format!("{:?}", read(used, heard, message));
    let fresh = format!("{:?}", read(fresh, heard, message));
    assert_eq!(used, fresh);
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (place, version) in Version::ALL.into_iter().enumerate() {
        for (action, messages) in messages::all(version) {
            let call = (action.index % 254) as u8;
            for message in messages {
                // Letters, so that a seed can be read: `0`, `1` and `2` are a station's three versions.
                let setting = 48 + place as u8;
                seeds.push([&[setting, call], message.as_bytes()].concat());
            }
        }
    }
    for error in [
        "[4,\"id-1\",\"FormationViolation\",\"what\",{}]",
        "[5,\"id-1\",\"FormatViolation\",\"what\",{\"a\":[1,2.5e-3,\"\\u00e9\\ud83d\\ude00\"]}]",
        "[2,\"\\u0069d\",\"\\u0048eartbeat\",{}]",
    ] {
        seeds.push([b"2\0", error.as_bytes()].concat());
    }
    seeds
}

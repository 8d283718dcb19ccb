//! Messages that two parsers could read differently: not one of them passes, whoever sends it and
//! however the controls are set.

mod common;

use guard::{Control, Mode, OnUnreadable, Outcome};
use ocpp::Side::{Csms, Station};
use ocpp::{Frame, HardFault, Limits, Version};

use common::{Leaves, Session};

/// A message for each hard fault. The type, id and action of the first kind are readable.
fn hard_faults() -> Vec<(HardFault, Vec<u8>)> {
    let call = |payload: &str| format!(r#"[2,"1","DataTransfer",{payload}]"#).into_bytes();
    let keys: Vec<String> = (0..=64).map(|number| format!("\"k{number}\":0")).collect();
    let mut invalid = call(r#"{"vendorId":"?"}"#);
    if let Some(byte) = invalid.iter_mut().find(|byte| **byte == b'?') {
        *byte = 0xff;
    }
    let deep = format!(
        r#"{{"vendorId":"v","x":{}{}}}"#,
        "[".repeat(20),
        "]".repeat(20)
    );
    vec![
        (
            HardFault::DuplicateKey,
            call(r#"{"vendorId":"a","\u0076endorId":"b"}"#),
        ),
        (
            HardFault::CaseVariantKey,
            call(r#"{"vendorId":"a","VendorId":"b"}"#),
        ),
        (HardFault::LoneSurrogate, call(r#"{"vendorId":"\ud800"}"#)),
        (HardFault::NulCharacter, call(r#"{"vendorId":"\u0000"}"#)),
        (
            HardFault::NumberOverflow,
            call(r#"{"vendorId":"a","x":1e999}"#),
        ),
        (
            HardFault::IntegerBeyondExact,
            call(r#"{"vendorId":"a","x":9007199254740993}"#),
        ),
        (HardFault::TooDeep, call(&deep)),
        (
            HardFault::TooManyUnknownKeys,
            call(&format!("{{{}}}", keys.join(","))),
        ),
        (
            HardFault::TrailingData,
            [call("{}"), b" []".to_vec()].concat(),
        ),
        (HardFault::NotJson, call("{vendorId:1}")),
        (
            HardFault::NotAnEnvelope,
            br#"[2,"1","DataTransfer"]"#.to_vec(),
        ),
        (HardFault::NotAnEnvelope, br#"{"vendorId":"a"}"#.to_vec()),
        (HardFault::UnknownMessageType, br#"[9,"1",{}]"#.to_vec()),
        (HardFault::InvalidUtf8, invalid),
        (
            HardFault::ByteOrderMark,
            [b"\xef\xbb\xbf".to_vec(), call("{}")].concat(),
        ),
        (
            HardFault::Oversize,
            call(&format!(
                "{{\"data\":\"{}\"}}",
                "x".repeat(Limits::MESSAGE_BYTES_MAX as usize)
            )),
        ),
    ]
}

#[test]
fn no_hard_fault_passes_in_any_mode() {
    for mode in [Mode::Off, Mode::Observe, Mode::Enforce] {
        for version in Version::ALL {
            for from in [Station, Csms] {
                for (fault, bytes) in hard_faults() {
                    let mut session = Session::new(version);
                    for control in Control::ALL {
                        session.policy.controls.set(*control, mode);
                    }
                    let (outcome, leaves) = session.frame(from, Frame::text(&bytes));
                    assert_eq!(outcome, Outcome::Refused(None, Some(fault)), "{version}");
                    assert!(!matches!(leaves, Leaves::Own(to, _) if to != from));
                    session.policy.unreadable = OnUnreadable::Close;
                    let (outcome, leaves) = session.frame(from, Frame::text(&bytes));
                    assert_eq!((outcome, leaves), (Outcome::Disconnected, Leaves::Nothing));
                }
                let binary = Frame::binary(br#"[2,"1","Heartbeat",{}]"#);
                let (outcome, _) = Session::new(version).frame(from, binary);
                assert_eq!(
                    outcome,
                    Outcome::Refused(None, Some(HardFault::BinaryFrame))
                );
            }
        }
    }
}

//! RFC 6455 by clause: what the frame layer takes, what it refuses, and the close code it answers.

mod rfc6455_peer;

use gateway::ws::{Decoder, Incoming, Input, Role, WsError, WsLimits, append_text};
use rfc6455_peer::{FIN, Item, KEY, Peer};

#[test]
fn clause_5_1_a_client_must_mask() {
    let error = Peer::station().raw(&[FIN | 1, 2, b'h', b'i']).error();
    assert_eq!(error, WsError::Unmasked);
    assert_eq!(error.close_code(), 1002);
    for control in [8, 9, 10] {
        let error = Peer::station().raw(&[FIN | control, 0]).error();
        assert_eq!(error, WsError::Unmasked);
    }
}

#[test]
fn clause_5_1_a_server_must_not_mask() {
    let error = Peer::csms()
        .raw(&[FIN | 1, 0x82, 0, 0, 0, 0, b'h', b'i'])
        .error();
    assert_eq!(error, WsError::Masked);
    assert_eq!(error.close_code(), 1002);
}

#[test]
fn clause_5_2_no_reserved_bit_without_an_extension() {
    for bit in [0x40, 0x20, 0x10, 0x70] {
        for opcode in [0, 1, 2, 8, 9, 10] {
            let error = Peer::station().frame(FIN | bit | opcode, b"").error();
            assert_eq!((error, error.close_code()), (WsError::ReservedBits, 1002));
        }
    }
}

#[test]
fn clause_5_2_reserved_opcodes_are_refused() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let error = Peer::station().frame(FIN | opcode, b"").error();
        assert_eq!((error, error.close_code()), (WsError::ReservedOpcode, 1002));
    }
}

#[test]
fn clause_5_2_lengths_are_written_minimally() {
    for length in [0_u16, 1, 125] {
        let [high, low] = length.to_be_bytes();
        let error = Peer::csms().raw(&[FIN | 1, 126, high, low]).error();
        assert_eq!(error, WsError::LengthNotMinimal);
    }
    for length in [0_u64, 125, 126, 65_535] {
        let mut bytes = vec![FIN | 1, 127];
        bytes.extend_from_slice(&length.to_be_bytes());
        assert_eq!(Peer::csms().raw(&bytes).error(), WsError::LengthNotMinimal);
    }
}

#[test]
fn clause_5_2_the_top_bit_of_a_64_bit_length_is_zero() {
    for length in [1_u64 << 63, u64::MAX] {
        let mut bytes = vec![FIN | 2, 127];
        bytes.extend_from_slice(&length.to_be_bytes());
        assert_eq!(Peer::csms().raw(&bytes).error(), WsError::LengthTopBit);
    }
}

#[test]
fn clause_5_2_every_length_form_is_read() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
        for (role, mask) in [(Role::Server, Some(KEY)), (Role::Client, None)] {
            let payload: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut said = Vec::new();
            append_text(&mut said, &payload, mask);
            assert_eq!(Peer { role, said }.items(), [Item::Text(payload)]);
        }
    }
}

#[test]
fn clause_5_3_the_standards_own_example_is_unmasked() {
    let masked_hello = [
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    let items = Peer::station().raw(&masked_hello).items();
    assert_eq!(items, [Item::Text(b"Hello".to_vec())]);
    let mut ours = Vec::new();
    append_text(&mut ours, b"Hello", Some(KEY));
    assert_eq!(ours, masked_hello);
}

#[test]
fn clause_5_4_fragments_make_one_message() {
    let items = Peer::station()
        .frame(1, b"Hel")
        .frame(0, b"")
        .frame(0, b"l")
        .frame(FIN, b"o")
        .frame(2, b"")
        .frame(FIN, b"\x00")
        .items();
    assert_eq!(
        items,
        [Item::Text(b"Hello".to_vec()), Item::Binary(vec![0])]
    );
}

#[test]
fn clause_5_4_control_frames_may_stand_between_fragments() {
    let items = Peer::csms()
        .frame(1, b"Hel")
        .frame(FIN | 9, b"there?")
        .frame(FIN | 10, b"")
        .frame(FIN, b"lo")
        .items();
    assert_eq!(
        items,
        [
            Item::Ping(b"there?".to_vec()),
            Item::Pong(Vec::new()),
            Item::Text(b"Hello".to_vec())
        ]
    );
}

#[test]
fn clause_5_4_a_continuation_continues_something() {
    for first in [0, FIN] {
        let error = Peer::station().frame(first, b"x").error();
        assert_eq!(
            (error, error.close_code()),
            (WsError::NothingToContinue, 1002)
        );
    }
    let after_a_whole_message = Peer::station().frame(FIN | 1, b"x").frame(FIN, b"y");
    assert_eq!(after_a_whole_message.error(), WsError::NothingToContinue);
}

#[test]
fn clause_5_4_messages_are_not_interleaved() {
    for first in [1, 2, FIN | 1, FIN | 2] {
        let error = Peer::station().frame(1, b"x").frame(first, b"y").error();
        assert_eq!(
            (error, error.close_code()),
            (WsError::MessageStillOpen, 1002)
        );
    }
}

#[test]
fn clause_5_5_control_frames_hold_at_most_125_bytes() {
    let full = [b'p'; 125];
    assert_eq!(
        Peer::csms().frame(FIN | 9, &full).items(),
        [Item::Ping(full.to_vec())]
    );
    for control in [8, 9, 10] {
        for length in [126, 127] {
            let error = Peer::csms().raw(&[FIN | control, length]).error();
            assert_eq!((error, error.close_code()), (WsError::ControlTooLong, 1002));
        }
    }
}

#[test]
fn clause_5_5_control_frames_are_never_fragmented() {
    for control in [8, 9, 10] {
        let error = Peer::station().frame(control, b"").error();
        assert_eq!(
            (error, error.close_code()),
            (WsError::ControlFragmented, 1002)
        );
    }
}

#[test]
fn clause_5_5_1_a_close_body_is_empty_or_starts_with_a_code() {
    assert_eq!(
        Peer::csms().frame(FIN | 8, b"").items(),
        [Item::Close(None)]
    );
    let error = Peer::csms().frame(FIN | 8, &[3]).error();
    assert_eq!(
        (error, error.close_code()),
        (WsError::CloseBodyTooShort, 1002)
    );
}

#[test]
fn clause_5_5_1_a_close_reason_is_utf8() {
    let body = [&1000_u16.to_be_bytes()[..], "wir schließen".as_bytes()].concat();
    assert_eq!(
        Peer::station().frame(FIN | 8, &body).items(),
        [Item::Close(Some(1000))]
    );
    let body = [&1000_u16.to_be_bytes()[..], &[0xce, 0xba, 0xff]].concat();
    let error = Peer::station().frame(FIN | 8, &body).error();
    assert_eq!(
        (error, error.close_code()),
        (WsError::CloseReasonNotUtf8, 1007)
    );
}

#[test]
fn clause_5_5_1_nothing_is_heard_after_a_close() {
    let items = Peer::station()
        .frame(FIN | 1, b"before")
        .frame(FIN | 8, &1001_u16.to_be_bytes())
        .frame(FIN | 1, b"after")
        .raw(&[0xff, 0xff, 0xff])
        .items();
    assert_eq!(
        items,
        [Item::Text(b"before".to_vec()), Item::Close(Some(1001))]
    );
}

#[test]
fn clause_5_6_binary_is_told_from_text() {
    let items = Peer::csms()
        .frame(FIN | 2, b"[]")
        .frame(FIN | 1, b"[]")
        .items();
    assert_eq!(
        items,
        [Item::Binary(b"[]".to_vec()), Item::Text(b"[]".to_vec())]
    );
}

#[test]
fn clause_7_4_only_sendable_close_codes_are_taken() {
    for code in 0..=u16::MAX {
        let sendable = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        let mut said = vec![FIN | 8, 2];
        said.extend_from_slice(&code.to_be_bytes());
        let mut input = Input::new(&mut said);
        let mut decoder = Decoder::new(Role::Client);
        let heard = decoder.next(&mut input, &WsLimits::fixed(10));
        let expected = if sendable {
            Ok(Some(Incoming::Close(Some(code))))
        } else {
            Err(WsError::CloseCode)
        };
        assert_eq!(heard, expected, "{code}");
    }
}

#[test]
fn clause_7_4_1_every_breach_has_its_close_code() {
    assert_eq!(WsError::TextNotUtf8.close_code(), 1007);
    assert_eq!(WsError::TooManyFragments.close_code(), 1008);
    assert_eq!(WsError::TooManyControls.close_code(), 1008);
    assert_eq!(WsError::MessageTooBig.close_code(), 1009);
    assert_eq!(WsError::CloseCode.close_code(), 1002);
}

#[test]
fn clause_8_1_text_is_handed_on_for_the_reader_to_check() {
    let not_utf8 = [0xce, 0xba, 0xff];
    let items = Peer::station().frame(FIN | 1, &not_utf8).items();
    assert_eq!(items, [Item::Text(not_utf8.to_vec())]);
}

//! ClientHellos that others sent, with fingerprints that another program (Python, from the same bytes)
//! found, and ClientHellos put together by hand.

use proptest::prelude::*;

use super::*;

/// What OpenSSL 3.0 and Python's ssl sent to a socket that only listened.
const SEEN: [(&str, &str); 4] = [
    (
        include_str!("seen/openssl-tls13.hex"),
        "t13d310900_e8f1e7e78f70_c9e58cc61e36",
    ),
    (
        include_str!("seen/openssl-tls12.hex"),
        "t12i280500_d943125447b4_a44c6288192a",
    ),
    (
        include_str!("seen/python-tls12-alpn.hex"),
        "t12d0307h1_0e67c0ef781e_a44c6288192a",
    ),
    (
        include_str!("seen/python-tls13-padded.hex"),
        "t13i180800_85036bcba153_c9e58cc61e36",
    ),
];

fn bytes(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap())
        .collect()
}

/// A ClientHello of TLS 1.2 with these suites and extensions, in one record.
fn hello(suites: &[u16], extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.push(0);
    body.extend(list(
        &suites
            .iter()
            .flat_map(|one| one.to_be_bytes())
            .collect::<Vec<_>>(),
    ));
    body.extend([1, 0]);
    let all = extensions
        .iter()
        .flat_map(|(kind, body)| [kind.to_be_bytes().to_vec(), list(body)].concat());
    body.extend(list(&all.collect::<Vec<_>>()));
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    records(&[&[1], &length[1..], &body].concat(), usize::MAX)
}

fn list(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [&length.to_be_bytes(), body].concat()
}

/// A handshake message in records of that size.
fn records(message: &[u8], size: usize) -> Vec<u8> {
    let size = size.min(message.len());
    let record = |part: &[u8]| [&[22, 3, 1], &list(part)[..]].concat();
    message.chunks(size).flat_map(record).collect()
}

fn known(hello: &[u8]) -> String {
    match read(hello) {
        Hello::Known(fingerprint) => fingerprint.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_others_sent_is_known_by_what_another_program_found() {
    for (digits, expected) in SEEN {
        assert_eq!(known(&bytes(digits)), expected);
    }
}

#[test]
fn a_hello_is_known_when_it_is_whole_however_it_is_cut() {
    for (digits, expected) in SEEN {
        let whole = bytes(digits);
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), Hello::Incomplete, "{end} bytes");
        }
        for size in [1, 3, 100] {
            let cut = records(&whole[5..], size);
            assert_eq!(known(&cut), expected, "records of {size} bytes");
            assert_eq!(read(&cut[..cut.len() - 1]), Hello::Incomplete);
        }
        // What follows it does not matter.
        assert_eq!(
            known(&[&whole[..], &[23, 3, 3, 0, 1, 9]].concat()),
            expected
        );
    }
}

#[test]
fn a_resumed_session_is_known_by_the_same_fingerprint() {
    let groups = (0x000a, &[0, 2, 0, 29][..]);
    let schemes = (SIGNATURE_ALGORITHMS, &[0, 2, 4, 3][..]);
    let asks_for_a_ticket = (SESSION_TICKET, &[][..]);
    let fresh = hello(&[0x002f], &[groups, asks_for_a_ticket, schemes]);
    assert_eq!(known(&fresh), "t12i010200_ba72b8082249_63be3268461f");
    let resumed = hello(
        &[0x002f],
        &[
            schemes,
            (EARLY_DATA, &[]),
            groups,
            (PADDING, &[0; 40]),
            (PRE_SHARED_KEY, &[1; 80]),
        ],
    );
    assert_eq!(known(&resumed), known(&fresh), "and in another order");
}

#[test]
fn what_means_nothing_is_not_counted() {
    let name = (SERVER_NAME, &[0, 4, 0, 0, 1, b'g'][..]);
    let versions = (SUPPORTED_VERSIONS, &[6, 0x7a, 0x7a, 3, 4, 3, 3][..]);
    let protocol = (APPLICATION_PROTOCOLS, &[0, 3, 2, b'h', b'2'][..]);
    let plain = hello(&[0x1301], &[name, versions, protocol]);
    let greased = hello(
        &[0x1a1a, 0x1301],
        &[(0xfafa, &[]), name, versions, protocol, (0x0a0a, &[0])],
    );
    assert_eq!(known(&greased), known(&plain));
    assert!(
        known(&plain).starts_with("t13d0103h2_"),
        "{}",
        known(&plain)
    );
}

#[test]
fn the_edges_of_the_form() {
    // No extensions at all, and no list of them either.
    let bare = hello(&[0x002f], &[]);
    assert!(known(&bare).ends_with("_000000000000"));
    let mut older = bare[5..bare.len() - 2].to_vec();
    older[3] -= 2;
    assert_eq!(known(&records(&older, usize::MAX)), known(&bare));
    let many: Vec<u16> = (0x0100..0x0200).collect();
    assert!(known(&hello(&many, &[])).starts_with("t12i9900"));
    // A protocol that is not letters is shown by its hexadecimal form.
    let odd = (APPLICATION_PROTOCOLS, &[0, 4, 3, 0xab, b'x', 0xcd][..]);
    assert!(known(&hello(&[1], &[odd])).starts_with("t12i0101ad_"));
}

#[test]
fn what_is_no_hello_has_no_fingerprint() {
    let whole = bytes(SEEN[0].0);
    let with = |at: usize, byte: u8| {
        let mut bent = whole.clone();
        bent[at] = byte;
        bent
    };
    for (bent, why) in [
        (b"GET / HTTP/1.1\r\n".to_vec(), "HTTP"),
        (with(0, 23), "another kind of record"),
        (with(5, 2), "another message"),
        (with(6, 1), "64 KiB"),
        (with(43, 255), "a session id longer than the message"),
        (vec![22, 3, 1, 0, 0], "an empty record"),
    ] {
        assert_eq!(read(&bent), Hello::Unreadable, "{why}");
    }
    assert_eq!(read(&[]), Hello::Incomplete);
    // A list of numbers that ends in half a number.
    let odd = (SIGNATURE_ALGORITHMS, &[0, 3, 4, 3, 8][..]);
    assert_eq!(read(&hello(&[1], &[odd])), Hello::Unreadable);
}

proptest! {
    #[test]
    fn no_bytes_make_us_panic(bytes: Vec<u8>) {
        let _ = read(&bytes);
        let _ = read(&[&[22, 3, 1], &list(&bytes[..bytes.len().min(1000)])[..]].concat());
    }

    #[test]
    fn a_bent_hello_is_read_or_not_and_never_panics(
        which in 0..SEEN.len(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index,
    ) {
        let mut bent = bytes(SEEN[which].0);
        let at = at.index(bent.len());
        bent[at] = byte;
        if let Hello::Known(fingerprint) = read(&bent) {
            let text = fingerprint.to_string();
            prop_assert_eq!(text.parse(), Ok(fingerprint));
        }
        let _ = read(&bent[..cut.index(bent.len())]);
    }

    #[test]
    fn the_order_of_suites_and_extensions_does_not_matter(
        mut suites in prop::collection::vec(any::<u16>(), 0..30),
        mut kinds in prop::collection::btree_set(0x0100_u16..0xff00, 0..30).prop_map(Vec::from_iter),
        by: prop::sample::Index,
    ) {
        let of = |suites: &[u16], kinds: &[u16]| {
            let extensions: Vec<(u16, &[u8])> = kinds.iter().map(|kind| (*kind, &[][..])).collect();
            known(&hello(suites, &extensions))
        };
        let before = of(&suites, &kinds);
        suites.reverse();
        if !kinds.is_empty() {
            let by = by.index(kinds.len());
            kinds.rotate_left(by);
        }
        prop_assert_eq!(before, of(&suites, &kinds));
    }
}

//! Headers by the specification's examples and by noise, over real sockets: what is behind a header
//! must still be there.

use std::net::SocketAddr;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Carried, LINE_BYTES_MAX, REST_BYTES_MAX, SIGNATURE_2, read};

/// What is read of these bytes when they come in two parts, and what is left behind it.
async fn hear(bytes: &[u8], cut: usize) -> (Result<Carried, &'static str>, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (balancer, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (mut balancer, mut socket) = (balancer.unwrap(), accepted.unwrap().0);
    balancer.set_nodelay(true).unwrap();
    let (first, second) = bytes.split_at(cut.min(bytes.len()));
    let saying = async {
        // A reader that has heard enough may be gone already.
        let _ = balancer.write_all(first).await;
        tokio::task::yield_now().await;
        let _ = balancer.write_all(second).await;
        let _ = balancer.shutdown().await;
    };
    let reading = async {
        let carried = read(&mut socket).await;
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest).await;
        (carried, rest)
    };
    tokio::join!(saying, reading).1
}

fn v2(version_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&SIGNATURE_2[..], &[version_command, family], &length, rest].concat()
}

fn address(text: &str) -> Carried {
    Carried::From(text.parse::<SocketAddr>().unwrap())
}

#[tokio::test]
async fn who_is_carried_and_what_follows_is_left_alone() {
    let v4 = [192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 0x04, 0x01, 0xbb];
    let mut v6 = [0; 36];
    (v6[0], v6[1], v6[15], v6[32], v6[33]) = (0x20, 0x01, 1, 0x04, 0xd2);
    let with_more = [&v4[..], b"\x02\x00\x04name"].concat();
    let longest = "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
    let unknown = "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n";
    let table: [(Vec<u8>, Carried); 9] = [
        (
            b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n".to_vec(),
            address("192.0.2.1:56324"),
        ),
        (
            b"PROXY TCP6 2001:db8::1 ::1 1 443\r\n".to_vec(),
            address("[2001:db8::1]:1"),
        ),
        (
            longest.into(),
            address("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"),
        ),
        (b"PROXY UNKNOWN\r\n".to_vec(), Carried::Own),
        (unknown.into(), Carried::Own),
        (v2(0x21, 0x11, &v4), address("192.0.2.1:56324")),
        (v2(0x21, 0x11, &with_more), address("192.0.2.1:56324")),
        (v2(0x21, 0x21, &v6), address("[2001::1]:1234")),
        (v2(0x20, 0, b""), Carried::Own),
    ];
    for (header, carried) in table {
        for cut in 0..header.len() {
            let (heard, rest) = hear(&[&header[..], b"\x16\x03\x01 TLS\n"].concat(), cut).await;
            assert_eq!(heard, Ok(carried), "{header:?} cut at {cut}");
            assert_eq!(rest, b"\x16\x03\x01 TLS\n", "{header:?} cut at {cut}");
        }
    }
}

#[tokio::test]
async fn what_is_no_header() {
    let line = |text: &str| text.as_bytes().to_vec();
    let mut endless = b"PROXY TCP4 ".to_vec();
    endless.resize(10 * LINE_BYTES_MAX, b'1');
    let mut long = v2(0x21, 0x11, &[0; REST_BYTES_MAX + 1]);
    long.extend([0; 100]);
    let table: Vec<Vec<u8>> = vec![
        line(""),
        line("PROXY"),
        line("\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03 a ClientHello"),
        line("GET /ocpp/CP1 HTTP/1.1\r\n\r\n"),
        line("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n"),
        line("PROXY TCP4  192.0.2.1 198.51.100.1 56324 443\r\n"),
        line("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 \r\n"),
        line("PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n"),
        line("PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n"),
        line("PROXY TCP4 192.0.2.1 198.51.100.1 +1 443\r\n"),
        line("PROXY TCP4 192.0.2.1 198.51.100.1 01 443\r\n"),
        line("PROXY TCP4 192.0.2.256 198.51.100.1 1 443\r\n"),
        line("PROXY TCP4 2001:db8::1 ::1 1 443\r\n"),
        line("PROXY TCP6 192.0.2.1 198.51.100.1 1 443\r\n"),
        line("PROXY UDP4 192.0.2.1 198.51.100.1 1 443\r\n"),
        line("proxy tcp4 192.0.2.1 198.51.100.1 1 443\r\n"),
        endless,
        long,
        v2(0x11, 0x11, &[0; 12]),
        v2(0x22, 0x11, &[0; 12]),
        v2(0x21, 0x11, &[0; 11]),
        v2(0x21, 0x21, &[0; 35]),
        v2(0x21, 0x12, &[0; 12]),
        v2(0x21, 0x31, &[0; 216]),
        v2(0x21, 0x00, b""),
        v2(0x21, 0x11, &[0; 12])[..20].to_vec(),
    ];
    for header in table {
        let (heard, _) = hear(&header, 7).await;
        assert!(heard.is_err(), "{:?}", String::from_utf8_lossy(&header));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No noise is taken for an address, and nothing panics; a true header is read wherever the
    /// network cuts it.
    #[test]
    fn noise_and_cuts(noise in proptest::collection::vec(any::<u8>(), 0..300), cut in 0_usize..300,
                      start in 0_usize..4, from: SocketAddrBits) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let begun: &[u8] = [&b""[..], b"PROXY TCP4 ", &SIGNATURE_2, b"PROXY UNKNOWN"][start];
        let (heard, _) = runtime.block_on(hear(&[begun, &noise].concat(), cut));
        if start == 0 {
            prop_assert!(heard.is_err());
        }
        let (from, rest) = (from.0, [&noise[..], b"\n"].concat());
        let kind = if from.is_ipv4() { "TCP4" } else { "TCP6" };
        let (ip, port) = (from.ip(), from.port());
        let line = format!("PROXY {kind} {ip} {ip} {port} 443\r\n");
        let (heard, left) = runtime.block_on(hear(&[line.as_bytes(), &rest].concat(), cut));
        prop_assert_eq!(heard, Ok(Carried::From(from)));
        prop_assert_eq!(left, rest);
    }
}

#[derive(Debug)]
struct SocketAddrBits(SocketAddr);

impl Arbitrary for SocketAddrBits {
    type Parameters = ();
    type Strategy = BoxedStrategy<SocketAddrBits>;
    fn arbitrary_with((): ()) -> BoxedStrategy<SocketAddrBits> {
        let v4 = any::<([u8; 4], u16)>().prop_map(SocketAddr::from);
        let v6 = any::<([u8; 16], u16)>().prop_map(SocketAddr::from);
        prop_oneof![v4, v6].prop_map(SocketAddrBits).boxed()
    }
}

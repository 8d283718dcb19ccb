//! Scenes over loopback: somebody else's TLS (tokio-rustls, buffered) on the other side.

use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

fn configs() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    configs_of(rustls::DEFAULT_VERSIONS)
}

fn configs_of(
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["gate".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    server.ticketer = aws_lc_rs::Ticketer::new().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (near, far) = tokio::join!(listener.accept(), TcpStream::connect(address));
    (near.unwrap().0, far.unwrap())
}

fn gate() -> ServerName<'static> {
    ServerName::try_from("gate").unwrap()
}

/// Says back whatever it hears until the peer closes, then closes too.
async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut bytes = vec![0; 5000];
    loop {
        let count = stream.read(&mut bytes).await?;
        if count == 0 {
            return stream.shutdown().await;
        }
        stream.write_all(&bytes[..count]).await?;
        stream.flush().await?;
    }
}

async fn converse(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), sizes: &[usize]) {
    for &size in sizes {
        let said: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let mut heard = vec![0; size];
        let (mut reading, mut writing) = tokio::io::split(&mut *stream);
        let write = async {
            writing.write_all(&said).await.unwrap();
            writing.flush().await.unwrap();
        };
        let (read, ()) = tokio::join!(reading.read_exact(&mut heard), write);
        read.unwrap();
        assert!(said == heard, "{size} bytes came back changed");
    }
}

const SIZES: [usize; 6] = [1, 200, 1312, 16_384, 40_000, 600_000];

#[tokio::test]
async fn a_buffered_client_is_understood_both_ways() {
    let (server, client) = configs();
    let (near, far) = sockets().await;
    let served = tokio::spawn(async move { echo(StationTls::accept(near, server).await?.0).await });
    let mut station = TlsConnector::from(client)
        .connect(gate(), far)
        .await
        .unwrap();
    converse(&mut station, &SIZES).await;
    station.shutdown().await.unwrap();
    assert_eq!(
        station.read(&mut [0; 1]).await.unwrap(),
        0,
        "closed in order"
    );
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_buffered_server_is_understood_both_ways() {
    let (server, client) = configs();
    let (near, far) = sockets().await;
    let csms = TlsAcceptor::from(server);
    let served = tokio::spawn(async move { echo(csms.accept(near).await?).await });
    let mut ours = CsmsTls::connect(far, client, gate()).await.unwrap();
    converse(&mut ours, &SIZES).await;
    ours.shutdown().await.unwrap();
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_second_connection_resumes() {
    let (server, client) = configs();
    for kind in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
        let (near, far) = sockets().await;
        let accepted = StationTls::accept(near, Arc::clone(&server));
        let connected = CsmsTls::connect(far, Arc::clone(&client), gate());
        // Our Finished leaves with the first words, so neither side may wait for the other here.
        let served = tokio::spawn(async move { echo(accepted.await?.0).await });
        let mut ours = connected.await.unwrap();
        converse(&mut ours, &[10]).await;
        assert_eq!(ours.common().handshake_kind(), Some(kind));
        ours.shutdown().await.unwrap();
        served.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_comes_byte_by_byte_is_put_together() {
    let (server, client) = configs();
    let (near, far) = sockets().await;
    far.set_nodelay(true).unwrap();
    let served = tokio::spawn(async move { echo(StationTls::accept(near, server).await?.0).await });
    let (end, middle) = duplex(1 << 16);
    tokio::spawn(crumble(middle, far));
    let mut station = TlsConnector::from(client)
        .connect(gate(), end)
        .await
        .unwrap();
    converse(&mut station, &[1, 200, 1312]).await;
    station.shutdown().await.unwrap();
    served.await.unwrap().unwrap();
}

/// Carries everything over, towards the socket one byte at a time.
async fn crumble(middle: DuplexStream, socket: TcpStream) {
    let (mut from_station, mut to_station) = tokio::io::split(middle);
    let (mut from_gate, mut to_gate) = socket.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_gate, &mut to_station).await });
    let mut byte = [0];
    while from_station.read_exact(&mut byte).await.is_ok() {
        if to_gate.write_all(&byte).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_idle_connection_holds_no_buffer() {
    let (server, client) = configs();
    let (near, far) = sockets().await;
    let connecting = tokio::spawn(TlsConnector::from(client).connect(gate(), far));
    let (mut ours, _) = StationTls::accept(near, server).await.unwrap();
    let mut station = connecting.await.unwrap().unwrap();
    for size in [100, 60_000] {
        station.write_all(&vec![7; size]).await.unwrap();
        station.flush().await.unwrap();
        let mut heard = vec![0; size];
        ours.read_exact(&mut heard).await.unwrap();
        ours.write_all(&heard[..100]).await.unwrap();
        ours.flush().await.unwrap();
        station.read_exact(&mut heard[..100]).await.unwrap();
        let held = ours.cut.capacity() + ours.plain.capacity() + ours.unsent.capacity();
        assert_eq!(held, 0, "after {size} bytes");
    }
}

#[tokio::test]
async fn a_stranger_to_tls_hears_an_alert() {
    let (server, _) = configs();
    let (near, mut far) = sockets().await;
    far.write_all(b"GET /ocpp/S1 HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    assert!(StationTls::accept(near, server).await.is_err());
    let mut alert = Vec::new();
    let reading = far.read_to_end(&mut alert);
    let _ = tokio::time::timeout(Duration::from_secs(5), reading)
        .await
        .unwrap();
    assert_eq!(alert.first(), Some(&21), "an alert record: {alert:?}");
}

#[tokio::test]
async fn a_forged_record_ends_the_connection() {
    let (server, client) = configs();
    let (near, far) = sockets().await;
    let connecting = tokio::spawn(TlsConnector::from(client).connect(gate(), far));
    let (mut ours, _) = StationTls::accept(near, server).await.unwrap();
    let mut station = connecting.await.unwrap().unwrap();
    let (socket, _) = station.get_mut();
    socket.write_all(&[23, 3, 3, 0, 20]).await.unwrap();
    socket.write_all(&[0; 20]).await.unwrap();
    assert!(ours.read(&mut [0; 100]).await.is_err());
}

#[tokio::test]
async fn a_hello_without_end_is_bounded() {
    let (server, _) = configs();
    let (near, mut far) = sockets().await;
    let accepting = tokio::spawn(StationTls::accept(near, server));
    // Handshake records that announce a ClientHello of 16 MiB and go on with it.
    let mut record = vec![22, 3, 1, 0x40, 0];
    record.extend([1, 0xff, 0xff, 0xff]);
    record.resize(5 + 0x4000, 0);
    for _ in 0..64 {
        if far.write_all(&record).await.is_err() {
            break;
        }
    }
    let accepted = tokio::time::timeout(Duration::from_secs(5), accepting)
        .await
        .unwrap();
    assert!(accepted.unwrap().is_err());
}

#[tokio::test]
async fn a_resumed_session_is_known_by_the_fingerprint_of_the_first() {
    let versions: [&[&rustls::SupportedProtocolVersion]; 3] = [
        &[&rustls::version::TLS13],
        &[&rustls::version::TLS12],
        rustls::DEFAULT_VERSIONS,
    ];
    for version in versions {
        let (server, client) = configs_of(version);
        let connector = TlsConnector::from(client);
        let mut seen = Vec::new();
        for resumed in [false, true, true] {
            let (near, far) = sockets().await;
            let accepting = StationTls::accept(near, Arc::clone(&server));
            // Our Finished leaves with the first words, so neither side may wait for the other here.
            let served = tokio::spawn(async move {
                let (ours, fingerprint) = accepting.await?;
                echo(ours).await.map(|()| fingerprint)
            });
            let mut station = connector.connect(gate(), far).await.unwrap();
            let kind = station.get_ref().1.handshake_kind();
            assert_eq!(kind == Some(rustls::HandshakeKind::Resumed), resumed);
            // The ticket for the next one comes along with what is said.
            converse(&mut station, &[10]).await;
            station.shutdown().await.unwrap();
            seen.push(served.await.unwrap().unwrap().unwrap());
        }
        assert_eq!(seen, [seen[0]; 3], "{version:?}");
    }
}

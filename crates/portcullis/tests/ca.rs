//! What the authority issues is accepted by rustls, by OpenSSL, and by nobody it was not meant for.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use scene::Scene;
use x509_parser::prelude::{FromDer, X509Certificate};

fn roots(scene: &Scene, name: &str) -> Arc<RootCertStore> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(scene.path(name)).unwrap() {
        store.add(certificate.unwrap()).unwrap();
    }
    Arc::new(store)
}

fn pair(scene: &Scene, stem: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_file_iter(scene.path(&format!("{stem}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(scene.path(&format!("{stem}.key"))).unwrap();
    (chain.map(Result::unwrap).collect(), key)
}

/// A whole TLS handshake in memory, the station showing a certificate.
fn shake(scene: &Scene, server: &str, station: &str, name: &str) -> Result<(), rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots(scene, "ca/ca.pem"), provider.clone())
            .build()
            .unwrap();
    let (chain, key) = pair(scene, server);
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    let (chain, key) = pair(scene, station);
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(scene, "ca/ca.pem"))
        .with_client_auth_cert(chain, key)?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name)?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn rustls_accepts_gate_and_stations_for_what_they_are() {
    let scene = Scene::new();
    scene
        .run(&["ca", "issue", "station", "CP-1", "--cpo", "Example"])
        .is(0);
    scene
        .run(&[
            "ca", "issue", "station", "CP-2", "--cpo", "Example", "--rsa",
        ])
        .is(0);
    for server in ["ca/gate-ecdsa", "ca/gate-rsa"] {
        for station in ["ca/station-CP-1", "ca/station-CP-2"] {
            for name in ["localhost", "127.0.0.1"] {
                shake(&scene, server, station, name).unwrap();
            }
        }
    }
    assert!(
        shake(
            &scene,
            "ca/gate-ecdsa",
            "ca/station-CP-1",
            "elsewhere.example"
        )
        .is_err()
    );
    assert!(shake(&scene, "ca/station-CP-1", "ca/station-CP-1", "localhost").is_err());
    assert!(shake(&scene, "ca/gate-ecdsa", "ca/gate-ecdsa", "localhost").is_err());
}

#[test]
fn openssl_verifies_what_was_issued() {
    let scene = Scene::new();
    scene
        .run(&["ca", "issue", "station", "CP-1", "--cpo", "Example"])
        .is(0);
    for (purpose, certificate) in [
        ("sslserver", "ca/gate-ecdsa.pem"),
        ("sslserver", "ca/gate-rsa.pem"),
        ("sslclient", "ca/station-CP-1.pem"),
    ] {
        let output = Command::new("openssl")
            .args([
                "verify",
                "-x509_strict",
                "-purpose",
                purpose,
                "-CAfile",
                "ca/ca.pem",
            ])
            .arg(certificate)
            .current_dir(scene.root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{certificate}: {output:?}");
    }
}

#[test]
fn a_station_is_called_by_its_identity_and_its_cpo() {
    let scene = Scene::new();
    let json = scene
        .run(&[
            "--format", "json", "ca", "issue", "station", "DE*1|x", "--cpo", "Ex & Co",
        ])
        .is(0)
        .json();
    let file = json["certificates"][0]["certificate"].as_str().unwrap();
    let certificate = CertificateDer::from_pem_file(scene.path(file)).unwrap();
    let (_, certificate) = X509Certificate::from_der(&certificate).unwrap();
    let subject = certificate.subject();
    let one = |mut names: Vec<String>| names.pop().unwrap();
    let common = subject
        .iter_common_name()
        .map(|name| name.as_str().unwrap().to_owned());
    assert_eq!(one(common.collect()), "DE*1|x");
    let cpo = subject
        .iter_organization()
        .map(|name| name.as_str().unwrap().to_owned());
    assert_eq!(one(cpo.collect()), "Ex & Co");
    assert!(file.starts_with("ca/station-DE_1_x-"), "{file}");
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_alone_and_nothing_is_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    for name in ["ca-ecdsa", "ca-rsa", "gate-ecdsa", "gate-rsa"] {
        let key = scene.path(&format!("ca/{name}.key"));
        assert_eq!(
            std::fs::metadata(key).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let before = scene.read("ca/ca-ecdsa.key");
    scene
        .run(&["ca", "init"])
        .is(4)
        .complains("there is a file already");
    scene.run(&["ca", "issue", "server", "localhost"]).is(4);
    assert_eq!(before, scene.read("ca/ca-ecdsa.key"));
    scene
        .run(&["ca", "issue", "server", "x", "--directory", "none"])
        .is(3);
    scene
        .run(&["ca", "issue", "server", "https://x/", "--directory", "none"])
        .is(2);
    scene
        .run(&["ca", "issue", "station", &"x".repeat(65), "--cpo", "E"])
        .is(2);
}

/// What OpenSSL says of a certificate, held against the list.
fn openssl_checks(scene: &Scene, certificate: &str) -> String {
    let output = Command::new("openssl")
        .args(["verify", "-x509_strict", "-crl_check"])
        .args(["-CAfile", "ca/ca.pem", "-CRLfile", "ca/crl.pem"])
        .arg(certificate)
        .current_dir(scene.root())
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn a13_what_is_revoked_stays_revoked_and_openssl_reads_it_so() {
    let scene = Scene::new();
    for (station, kind) in [("CP-1", None), ("CP-2", Some("--rsa")), ("CP-3", None)] {
        let issue = ["ca", "issue", "station", station, "--cpo", "Example"];
        let all: Vec<&str> = issue.into_iter().chain(kind).collect();
        scene.run(&all).is(0);
    }
    scene
        .run(&["ca", "revoke"])
        .is(0)
        .says("0 revoked now, 0 in all");
    let stations = ["CP-1", "CP-2", "CP-3"].map(|name| format!("ca/station-{name}.pem"));
    for station in &stations {
        assert!(openssl_checks(&scene, station).ends_with("OK\n"));
    }
    scene
        .run(&["ca", "revoke", &stations[0]])
        .is(0)
        .says("1 revoked now, 1 in all");
    scene
        .run(&["ca", "revoke", &stations[1], &stations[0]])
        .is(0)
        .says("1 revoked now, 2 in all");
    let der = CertificateDer::from_pem_file(scene.path(&stations[2])).unwrap();
    let (_, third) = X509Certificate::from_der(&der).unwrap();
    let serial = third.raw_serial_as_string();
    let stranger = sim::ca::Authority::new("Another CA").unwrap();
    let foreign = stranger.issue(&sim::ca::Leaf::client("CP-9")).unwrap();
    scene.write("foreign.pem", foreign.certificate_pem());
    scene
        .run(&["ca", "revoke", "foreign.pem"])
        .is(2)
        .complains("not of this CA");
    scene
        .run(&["ca", "revoke", "ca/ca-ecdsa.key"])
        .is(2)
        .complains("no certificate in it");
    scene.run(&["ca", "revoke", "CP-1"]).is(2);
    assert!(openssl_checks(&scene, &stations[2]).ends_with("OK\n"));
    scene
        .run(&["ca", "revoke", &serial])
        .is(0)
        .says("1 revoked now, 3 in all");
    for station in &stations {
        let said = openssl_checks(&scene, station);
        assert!(said.contains("certificate revoked"), "{station}: {said}");
    }
}

#[test]
fn a13_a_list_that_the_authority_has_not_signed_is_not_added_to() {
    let scene = Scene::new();
    scene.run(&["ca", "revoke", "0a:0b"]).is(0);
    let good = scene.read("ca/crl.pem");
    scene.write("ca/crl.pem", good.replacen("MII", "MIJ", 1));
    let broken = scene.read("ca/crl.pem");
    scene
        .run(&["ca", "revoke", "0c"])
        .is(2)
        .complains("Bring back the last good one");
    assert_eq!(scene.read("ca/crl.pem"), broken, "nothing is lost");
    scene.write("ca/crl.pem", &good);
    // Two at once would lose what one of them adds.
    scene.write("ca/crl.pem.new", "");
    scene
        .run(&["ca", "revoke", "0c"])
        .is(4)
        .complains("somebody else is at it");
    std::fs::remove_file(scene.path("ca/crl.pem.new")).unwrap();
    scene.run(&["ca", "revoke", "0c"]).is(0).says("2 in all");
}

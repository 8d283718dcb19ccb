//! The plumbing of the scenes: a directory of its own, and the real program run in it.
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part of the plumbing"
)]

pub mod gate;
pub mod record;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

/// A directory in which the program runs.
pub struct Scene {
    room: tempfile::TempDir,
}

/// RSA keys take a second each: the authority and the gate's certificates are made once.
static AUTHORITY: LazyLock<Scene> = LazyLock::new(|| {
    let scene = Scene::empty();
    scene.run(&["ca", "init"]).is(0);
    let names = ["localhost", "127.0.0.1"];
    scene
        .run(&[&["ca", "issue", "server"], &names[..]].concat())
        .is(0);
    scene
});

/// What the program did.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Scene {
    /// An empty directory.
    pub fn empty() -> Scene {
        Scene {
            room: tempfile::tempdir().unwrap(),
        }
    }

    /// A directory with a configuration, a key and certificates.
    pub fn new() -> Scene {
        let scene = Scene::empty();
        scene.run(&["init"]).is(0);
        std::fs::create_dir(scene.path("ca")).unwrap();
        for entry in std::fs::read_dir(AUTHORITY.path("ca")).unwrap() {
            let from = entry.unwrap().path();
            let to = scene.path("ca").join(from.file_name().unwrap());
            std::fs::copy(from, to).unwrap();
        }
        scene
    }

    /// A directory with everything that another one holds: commands take their time.
    pub fn copy_of(other: &Scene) -> Scene {
        let scene = Scene::empty();
        for (from, bytes) in other.files_but(&[]) {
            let to = scene.path(&from.strip_prefix(other.root()).unwrap().to_string_lossy());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::write(&to, bytes).unwrap();
            let permissions = std::fs::metadata(&from).unwrap().permissions();
            std::fs::set_permissions(&to, permissions).unwrap();
        }
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.room.path()
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program in this directory, to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command
            .args(arguments)
            .current_dir(self.room.path())
            .env_remove("PORTCULLIS_CONFIG");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, "")
    }

    /// Runs the program with this on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that asks for nothing closes its input before we have written it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Outcome {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Every file of the directory but these, with what it holds.
    pub fn files_but(&self, left_out: &[&str]) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut directories = vec![self.room.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if path.is_dir() {
                    directories.push(path);
                } else if !left_out.contains(&name.as_str()) {
                    let bytes = std::fs::read(&path).unwrap();
                    files.push((path, bytes));
                }
            }
        }
        files
    }
}

impl Outcome {
    /// It ended with this code.
    #[track_caller]
    pub fn is(&self, code: i32) -> &Outcome {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    /// It said this on standard output.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Outcome {
        assert!(self.out.contains(text), "{text:?} is not in:\n{}", self.out);
        self
    }

    /// It complained about this on standard error.
    #[track_caller]
    pub fn complains(&self, text: &str) -> &Outcome {
        assert!(self.err.contains(text), "{text:?} is not in:\n{}", self.err);
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap()
    }

    pub fn error_json(&self) -> serde_json::Value {
        serde_json::from_str(&self.err).unwrap()
    }
}

/// What HTTP Basic makes of a name and a password.
pub fn basic(user: &str, password: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"))
}

/// A station's TLS with a certificate of its own.
pub fn client_tls(roots: &Path, chain: &Path, key: &Path) -> Arc<ClientConfig> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(roots).unwrap() {
        store.add(certificate.unwrap()).unwrap();
    }
    let chain = CertificateDer::pem_file_iter(chain)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap())
        .unwrap();
    Arc::new(config)
}

/// A station's TLS that trusts these roots and shows no certificate.
pub fn trust(roots: &Path) -> Arc<ClientConfig> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(roots).unwrap() {
        store.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    Arc::new(config)
}

//! The set: one directory with everything a gate needs, and a CSMS to lead to.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sim::Csms;
use sim::attack::Target;
use sim::ca::{Authority, KeyKind, Leaf};
use store::{KeyFile, SqliteStore, Store};

use super::DemoArgs;
use super::cast::Cast;
use super::faults::Labs;
use crate::commands::make_keys;
use crate::config::Config;
use crate::{Exit, Failure};

/// Lies in a directory that a demo has made, and so may empty.
const MARK: &str = ".portcullis-demo";
/// Ports that are used where they are free, so that a second run is found where the first one was.
const ADMIN_PORT: u16 = 9180;
const CSMS_PORT: u16 = 9000;

/// Everything that is set up.
pub(super) struct Stage {
    pub(super) directory: PathBuf,
    pub(super) config: PathBuf,
    pub(super) authority_file: PathBuf,
    pub(super) authority: Authority,
    /// `wss://localhost:8443/ocpp`.
    pub(super) url: String,
    pub(super) listen: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) csms: Arc<Csms>,
    pub(super) cast: Cast,
    pub(super) labs: Arc<Labs>,
}

impl Stage {
    /// What an attacker knows of it.
    pub(super) fn target(&self) -> Target {
        Target {
            url: self.url.clone(),
            trusted: vec![self.authority.certificate()],
            victim: self.cast.victim(),
            stolen: self.cast.stolen.clone(),
            from: None,
        }
    }
}

/// Sets everything up.
pub(super) async fn set(args: &DemoArgs) -> Result<Stage, Failure> {
    let directory = clear(&args.dir)?;
    let authority = Authority::new("Portcullis demo CA").map_err(failed)?;
    let authority_file = certificates(&authority, &directory, args)?;
    let cast = Cast::new(usize::from(args.stations), args.seed, &authority).map_err(failed)?;

    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let usual = |port| if args.port == 0 { 0 } else { port };
    let csms = csms(free(here, usual(CSMS_PORT))?).await?;
    let listen = free(args.listen, args.port)?;
    let admin = free(here, usual(ADMIN_PORT))?;
    let labs = Labs::open().await?;
    let config = directory.join("portcullis.toml");
    write(&config, &configuration(listen, admin, &csms, &labs))?;
    register(&directory, &cast, &labs)?;
    keys_of_record(&config)?;
    Ok(Stage {
        config,
        authority_file,
        authority,
        url: format!("wss://{}:{}/ocpp", called(listen.ip()), listen.port()),
        listen,
        admin,
        csms: Arc::new(csms),
        cast,
        labs: Arc::new(labs),
        directory,
    })
}

/// An empty directory to work in. What a demo did not make is not touched.
fn clear(directory: &Path) -> Result<PathBuf, Failure> {
    let there = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(in_the_way(directory, &error)),
        Ok(mut entries) => entries.next().is_some(),
    };
    if there && !directory.join(MARK).exists() {
        return Err(Failure::new(
            Exit::Conflict,
            format!(
                "{}: there is something in it that no demo made",
                directory.display()
            ),
            "Name an empty directory with --dir, or one that does not exist yet.",
        ));
    }
    if there {
        fs::remove_dir_all(directory).map_err(|error| in_the_way(directory, &error))?;
    }
    for folder in ["ca", "keys"] {
        let folder = directory.join(folder);
        fs::create_dir_all(&folder).map_err(|error| in_the_way(&folder, &error))?;
    }
    write(
        &directory.join(MARK),
        "The next demo empties this directory.\n",
    )?;
    directory
        .canonicalize()
        .map_err(|error| in_the_way(directory, &error))
}

/// Writes the CA's certificate and both of the gate's; gives the CA's file.
fn certificates(
    authority: &Authority,
    directory: &Path,
    args: &DemoArgs,
) -> Result<PathBuf, Failure> {
    let folder = directory.join("ca");
    let mut names: Vec<String> = args.name.clone();
    if !args.listen.is_unspecified() && !args.listen.is_loopback() {
        names.push(args.listen.to_string());
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (key, name) in [(KeyKind::Ecdsa, "gate-ecdsa"), (KeyKind::Rsa, "gate-rsa")] {
        let identity = authority.issue(&Leaf::server(&names).key(key));
        identity
            .and_then(|identity| identity.write(&folder, name))
            .map_err(failed)?;
    }
    authority.write(&folder, "ca").map_err(failed)
}

async fn csms(address: SocketAddr) -> Result<Csms, Failure> {
    let csms = Csms::builder().recording(0);
    csms.start(&address.to_string())
        .await
        .map_err(|error| Failure::new(Exit::Failed, format!("demo CSMS: {error}"), ""))
}

/// The key file, and the register with everybody in it.
fn register(directory: &Path, cast: &Cast, labs: &Labs) -> Result<(), Failure> {
    let path = directory.join("keys/portcullis.key");
    let key = KeyFile::create(&path)
        .map_err(|error| Failure::new(Exit::Failed, error.to_string(), error.remedy()))?;
    let mut records = cast.records(&key.verifier_key()).map_err(failed)?;
    records.extend(labs.records(&key.verifier_key()).map_err(failed)?);
    let mut store = SqliteStore::open(&directory.join("portcullis.db"), &key)?;
    store
        .import(&records, &mut |_| {})
        .map_err(|error| Failure::new(Exit::Failed, error.to_string(), ""))
}

/// The keys of the record, as `portcullis journal init` makes them.
fn keys_of_record(config: &Path) -> Result<(), Failure> {
    let config = Config::load(config)?.journal;
    config.map_or(Ok(()), |journal| make_keys(&journal).map(drop))
}

/// The configuration, as an operator would write it.
fn configuration(listen: SocketAddr, admin: SocketAddr, csms: &Csms, labs: &Labs) -> String {
    format!(
        r#"# Written by `portcullis demo`. `portcullis init` writes one with every setting explained.

[[listener]]
address = "{listen}"
certificates = [
  {{ chain = "ca/gate-ecdsa.pem", key = "ca/gate-ecdsa.key" }},
  {{ chain = "ca/gate-rsa.pem", key = "ca/gate-rsa.key" }},
]
client_ca = "ca/ca.pem"

[[route]]
id = "demo"
path = "/ocpp/{{identity}}"
upstream = "{upstream}"

# A CSMS with the faults of the advisories, as it is.
[[route]]
id = "lab"
path = "/lab/{{identity}}"
upstream = "{lab}"

[store]
path = "portcullis.db"
disk_free_min_mb = 1

[keys]
file = "keys/portcullis.key"

[admin]
address = "{admin}"

# Everything that happens is recorded: sealed, pseudonymous and provable.
[journal]
origin = "portcullis.demo/record"

[controls]
# Real stations break the schema harmlessly; what they do is noted and passes.
schema = "observe"
direction = "enforce"
correlation = "enforce"
pipelining = "enforce"

# Billing is refused to nobody by a switch for the whole fleet; a scope means it.
[[scope]]
stations = ["LAB-*"]
controls = {{ transactions = "enforce" }}

[log]
level = "error"
"#,
        upstream = format_args!("ws://{}/ocpp", csms.address()),
        lab = labs.upstream(),
    )
}

/// That port if it is free, else any.
fn free(address: IpAddr, port: u16) -> Result<SocketAddr, Failure> {
    let wanted = TcpListener::bind((address, port));
    wanted
        .or_else(|_| TcpListener::bind((address, 0)))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| {
            let what = format!("cannot listen on {address}: {error}");
            Failure::new(
                Exit::Failed,
                what,
                "Give --listen an address of this machine.",
            )
        })
}

/// How stations on this machine call an address: the certificate says `localhost`.
fn called(address: IpAddr) -> String {
    match address {
        address if address.is_loopback() || address.is_unspecified() => "localhost".to_owned(),
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| in_the_way(path, &error))
}

fn in_the_way(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("{}: {error}", path.display()),
        "Name a directory that this user may write to with --dir.",
    )
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("the demo cannot be set up: {error}"),
        "",
    )
}

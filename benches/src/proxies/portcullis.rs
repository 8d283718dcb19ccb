//! Portcullis: one worker, TLS 1.3, X25519, Basic, every control at enforce.

use std::fmt::Write;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Ground, Out};
use crate::stations::{authorization_key, identity};

pub(super) fn command(
    program: &Path,
    address: SocketAddr,
    out: Out,
    ground: &Ground,
    dir: &Path,
) -> io::Result<Command> {
    let plain = super::free_address()?;
    fs::write(dir.join(PLAIN), plain.to_string())?;
    let file = dir.join(CONFIGURATION);
    // `init` makes the key file; its configuration makes room for ours.
    tell(program, &file, &["init"])?;
    let configuration = configuration([address, plain], out, ground)?;
    fs::write(&file, format!("{configuration}{RATES}"))?;
    // A build to compare with may be older than the buckets.
    if tell(program, &file, &["check"]).is_err() {
        fs::write(&file, configuration)?;
    }
    let fleet = dir.join("fleet.csv");
    fs::write(&fleet, registration(ground.stations))?;
    tell(
        program,
        &file,
        &["station", "import", &fleet.to_string_lossy()],
    )?;
    let mut command = super::proxy_command(program);
    command.arg("serve").arg("--config").arg(&file);
    Ok(command)
}

/// The same with a record: durable ten times a second.
pub(super) fn recording(
    program: &Path,
    address: SocketAddr,
    out: Out,
    ground: &Ground,
    dir: &Path,
) -> io::Result<Command> {
    let mut command = command(program, address, out, ground, dir)?;
    let file = dir.join(CONFIGURATION);
    let configuration = fs::read_to_string(&file)?;
    // A passphrase would be a second of work beside the first round.
    let journal = format!("[journal]\norigin = \"bench\"\nroot = \"env:{ROOT}\"\n");
    fs::write(&file, configuration + &journal)?;
    let root = "5".repeat(64);
    let mut init = Command::new(program);
    init.args(["journal", "init", "--config"]).arg(&file);
    let output = init.env(ROOT, &root).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(format!("portcullis journal init: {said}")));
    }
    command.env(ROOT, root);
    Ok(command)
}

/// Where the record's root is.
const ROOT: &str = "BENCH_JOURNAL_ROOT";

/// Has a new process take the running one's place; its number.
pub(super) fn upgrade(program: &Path, dir: &Path) -> io::Result<u32> {
    let said = tell(
        program,
        &dir.join(CONFIGURATION),
        &["upgrade", "--format", "json"],
    )?;
    let upgraded: serde_json::Value = serde_json::from_slice(&said)?;
    let process = upgraded["process"].as_u64();
    let process = process.and_then(|process| u32::try_from(process).ok());
    process.ok_or_else(|| io::Error::other("the upgrade names no process"))
}

fn tell(program: &Path, config: &Path, arguments: &[&str]) -> io::Result<Vec<u8>> {
    let mut command = Command::new(program);
    let output = command
        .args(arguments)
        .arg("--config")
        .arg(config)
        .output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!(
        "portcullis {}: {said}",
        arguments.join(" ")
    )))
}

const CONFIGURATION: &str = "portcullis.toml";
/// The file that holds the address without TLS.
pub(super) const PLAIN: &str = "plain";

/// A saturated road needs more than any station says; each message is counted all the same.
const RATES: &str = "\
[rates]
heartbeat_burst = 1000000
heartbeat_per_minute = 60000
status_burst = 1000000
status_per_minute = 60000
billing_burst = 1000000
billing_per_minute = 60000
[[scope]]
stations = [\"BENCH*\"]
controls = { rate = \"enforce\" }
";

/// The log says what nginx says with `access_log off` and `error_log warn`.
fn configuration([tls, plain]: [SocketAddr; 2], out: Out, ground: &Ground) -> io::Result<String> {
    let (chain, key) = (ground.pki.certificate.display(), ground.pki.key.display());
    let upstream = match out {
        Out::Plain => format!("upstream = \"ws://{}/ocpp\"", ground.csms_plain),
        Out::Tls => {
            let (port, ca) = (ground.csms_tls.port(), ground.pki.ca.display());
            format!("upstream = \"wss://localhost:{port}/ocpp\"\nca = \"{ca}\"")
        }
    };
    let admin = super::free_address()?;
    Ok(format!(
        "[[listener]]
address = \"{tls}\"
certificates = [{{ chain = \"{chain}\", key = \"{key}\" }}]
[[listener]]
address = \"{plain}\"
plain = true
trusted_network = true
[[route]]
id = \"main\"
path = \"/ocpp/{{identity}}\"
{upstream}
[store]
path = \"portcullis.db\"
[keys]
file = \"keys/portcullis.key\"
[admin]
address = \"{admin}\"
[controls]
schema = \"enforce\"
direction = \"enforce\"
correlation = \"enforce\"
pipelining = \"enforce\"
[limits]
workers = 1
[log]
level = \"warn\"
"
    ))
}

/// AuthorizationKeys as a machine draws them, registered as an operator would.
fn registration(stations: usize) -> String {
    let mut csv = "identity,password_hex,machine_made\n".to_owned();
    for index in 0..stations {
        let _ = writeln!(csv, "{},{},true", identity(index), authorization_key(index));
    }
    csv
}

//! Portcullis: one worker, TLS 1.3, X25519, Basic, every control at enforce.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Ground, Out};

pub(super) fn command(
    address: SocketAddr,
    out: Out,
    ground: &Ground,
    dir: &Path,
) -> io::Result<Command> {
    let file = dir.join("portcullis.toml");
    fs::write(&file, configuration(address, out, ground, dir))?;
    let mut command = super::proxy_command(&ground.portcullis);
    command.arg("serve").arg("--config").arg(&file);
    Ok(command)
}

fn configuration(_address: SocketAddr, _out: Out, _ground: &Ground, _dir: &Path) -> String {
    String::new()
}

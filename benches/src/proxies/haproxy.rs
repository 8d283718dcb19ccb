//! HAProxy: one thread, TLS 1.3, X25519, WebSocket upgrade passed on as a tunnel.

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
    let file = dir.join("haproxy.cfg");
    fs::write(&file, configuration(address, out, ground))?;
    let mut command = super::proxy_command(Path::new("haproxy"));
    command.args(["-db", "-f"]).arg(&file);
    Ok(command)
}

fn configuration(address: SocketAddr, out: Out, ground: &Ground) -> String {
    let (both, ca) = (ground.pki.both.display(), ground.pki.ca.display());
    let server = match out {
        Out::Plain => ground.csms_plain.to_string(),
        Out::Tls => format!(
            "{} ssl verify required verifyhost localhost sni str(localhost) ca-file {ca}",
            ground.csms_tls
        ),
    };
    format!(
        "global
  nbthread 1
  maxconn 9500
  ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
  mode http
  timeout connect 5s
  timeout client 65s
  timeout server 65s
  timeout tunnel 4h
  option forwardfor
frontend stations
  bind {address} ssl crt {both} curves X25519 backlog 4096
  default_backend csms
backend csms
  server csms {server}
"
    )
}

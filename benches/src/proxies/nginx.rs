//! nginx: one worker, TLS 1.3, X25519, WebSocket upgrade passed on.

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
    let file = dir.join("nginx.conf");
    fs::write(&file, configuration(address, out, ground, dir))?;
    let mut command = super::proxy_command(Path::new("nginx"));
    command
        .args(["-g", "daemon off;"])
        .arg("-p")
        .arg(dir)
        .arg("-c")
        .arg(&file);
    Ok(command)
}

/// nginx takes idle connections back once fewer than a sixteenth of `worker_connections` are free: room
/// for 9,000 stations with two sockets each, and that sixteenth.
fn configuration(address: SocketAddr, out: Out, ground: &Ground, dir: &Path) -> String {
    let (certificate, key, ca) = (
        ground.pki.certificate.display(),
        ground.pki.key.display(),
        ground.pki.ca.display(),
    );
    let dir = dir.display();
    let (upstream, pass) = match out {
        Out::Plain => (ground.csms_plain, "proxy_pass http://csms;".to_owned()),
        Out::Tls => (
            ground.csms_tls,
            format!(
                "proxy_pass https://csms; proxy_ssl_protocols TLSv1.3; proxy_ssl_verify on; \
                 proxy_ssl_name localhost; proxy_ssl_server_name on; proxy_ssl_trusted_certificate {ca};"
            ),
        ),
    };
    format!(
        "worker_processes 1;
worker_rlimit_nofile 20000;
pid {dir}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 24000; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  keepalive_timeout 65s;
  upstream csms {{ server {upstream}; }}
  server {{
    listen {address} ssl backlog=4096;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_protocols TLSv1.3; ssl_ecdh_curve X25519;
    ssl_session_cache shared:tls:10m; ssl_session_tickets on;
    location /ocpp/ {{
      {pass}
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_read_timeout 4h; proxy_send_timeout 4h;
    }}
  }}
}}
"
    )
}

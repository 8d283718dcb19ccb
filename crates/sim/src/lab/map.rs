//! The public map of the lab CSMS: whoever asks is told every station's identity (CWE-522).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long either side of the map waits for the other.
const PATIENCE: Duration = Duration::from_secs(5);
/// As much of a page as is read.
const PAGE_BYTES_MAX: u64 = 64 * 1024;

/// The map's own small web server; dropping it closes it.
pub(super) struct Map {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Map {
    pub(super) async fn publish(address: SocketAddr, names: &[&str]) -> io::Result<Map> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let stations: Vec<Value> = names
            .iter()
            .map(|name| json!({ "ocppIdentity": name, "status": "Available" }))
            .collect();
        let page = json!({ "stations": stations }).to_string();
        let serving = tokio::spawn(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                tokio::spawn(timeout(PATIENCE, show(visitor, page.clone())));
            }
        });
        Ok(Map { address, serving })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn show(mut visitor: TcpStream, page: String) -> io::Result<()> {
    let mut asked = [0; 1024];
    let _ = visitor.read(&mut asked).await?;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        page.len()
    );
    visitor.write_all((head + &page).as_bytes()).await?;
    visitor.shutdown().await
}

/// Reads the identities off a map, as anybody with a browser can.
pub(super) async fn read(address: SocketAddr) -> Vec<String> {
    let asking = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = b"GET /map HTTP/1.1\r\nHost: map\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await?;
        let mut page = String::new();
        stream
            .take(PAGE_BYTES_MAX)
            .read_to_string(&mut page)
            .await?;
        io::Result::Ok(page)
    };
    let page = match timeout(PATIENCE, asking).await {
        Ok(Ok(page)) => page,
        Ok(Err(_)) | Err(_) => return Vec::new(),
    };
    let body = page.split("\r\n\r\n").nth(1).unwrap_or_default();
    let map: Value = serde_json::from_str(body).unwrap_or_default();
    let stations = map["stations"].as_array().into_iter().flatten();
    stations
        .filter_map(|station| station["ocppIdentity"].as_str().map(str::to_owned))
        .collect()
}

//! Somebody on the way between a station and whom it talks to, who passes everything on and writes
//! down what the station says.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// As much as is written down; the credential comes first.
const HEARD_BYTES_MAX: usize = 64 * 1024;

/// A tap on the line to one address; dropping it cuts whoever goes through it.
pub(super) struct Wiretap {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
    tapping: JoinHandle<()>,
}

impl Wiretap {
    /// Puts a tap before that address.
    pub(super) async fn before(target: SocketAddr) -> io::Result<Wiretap> {
        let here: SocketAddr = ([127, 0, 0, 1], 0).into();
        let listener = TcpListener::bind(here).await?;
        let address = listener.local_addr()?;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&heard);
        // One caller is all that a tap is laid for.
        let tapping = tokio::spawn(async move {
            if let Ok((caller, _)) = listener.accept().await {
                drop(listen_in(caller, target, &notes).await);
            }
        });
        Ok(Wiretap {
            address,
            heard,
            tapping,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How much went by.
    pub(super) fn heard_bytes(&self) -> usize {
        lock(&self.heard).len()
    }

    /// The password of a request in clear text.
    pub(super) fn password(&self) -> Option<Vec<u8>> {
        let heard = String::from_utf8_lossy(&lock(&self.heard)).into_owned();
        let line = heard
            .lines()
            .find(|line| line.to_lowercase().starts_with("authorization: basic "))?;
        let pair = STANDARD.decode(line.rsplit(' ').next()?.trim()).ok()?;
        let colon = pair.iter().position(|&byte| byte == b':')?;
        Some(pair[colon + 1..].to_vec())
    }
}

impl Drop for Wiretap {
    fn drop(&mut self) {
        self.tapping.abort();
    }
}

fn lock(heard: &Mutex<Vec<u8>>) -> std::sync::MutexGuard<'_, Vec<u8>> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen_in(
    caller: TcpStream,
    target: SocketAddr,
    notes: &Mutex<Vec<u8>>,
) -> io::Result<()> {
    let (mut from_caller, mut to_caller) = caller.into_split();
    let (mut from_target, mut to_target) = TcpStream::connect(target).await?.into_split();
    let back = copy(&mut from_target, &mut to_caller);
    let forth = async {
        let mut bytes = [0; 4096];
        loop {
            let count = from_caller.read(&mut bytes).await?;
            if count == 0 {
                return to_target.shutdown().await;
            }
            {
                let mut heard = lock(notes);
                let room = HEARD_BYTES_MAX.saturating_sub(heard.len()).min(count);
                heard.extend(&bytes[..room]);
            }
            to_target.write_all(&bytes[..count]).await?;
        }
    };
    tokio::try_join!(forth, async { back.await.map(|_| ()) })?;
    Ok(())
}

//! Two hosts, one address: the passive one takes over when the active one is gone, with what the last
//! backup knew. Here both are on this machine, and the test is what keepalived is in the guide: it
//! asks the active one for its health, and starts the passive one when there is none.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]
#![allow(clippy::print_stderr, reason = "the outage is measured, and told")]

mod scene;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ocpp::Version;
use scene::Scene;
use scene::gate::eventually;
use serde_json::json;
use sim::{Csms, Station};

const PASSWORD: &str = "correct horse battery";
const STATIONS: usize = 40;
/// As keepalived is set in the guide, but for the seconds, which are tenths here.
const ASK_EVERY: Duration = Duration::from_millis(100);
const FALL: usize = 2;
/// No station waits for longer before it tries again.
const RETRY: Duration = Duration::from_millis(200);
/// Takeover, all handshakes and a busy machine.
const OUTAGE_MAX: Duration = Duration::from_secs(20);

/// A host whose gate listens on this address.
fn host(scene: &Scene, address: SocketAddr, admin: SocketAddr, csms: &str) {
    scene.configure(csms, "", "");
    let text = scene.read("portcullis.toml");
    let text = text
        .replacen(
            "[[listener]]\naddress = \"127.0.0.1:0\"\nplain",
            &format!("[[listener]]\naddress = \"{address}\"\nplain"),
            1,
        )
        .replace(
            "[admin]\naddress = \"127.0.0.1:0\"",
            &format!("[admin]\naddress = \"{admin}\""),
        );
    scene.write("portcullis.toml", text);
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// A station that comes back whenever its connection is gone, as real ones do.
async fn live(url: String, identity: String, here: Arc<AtomicUsize>) {
    loop {
        let station = Station::new(url.as_str(), identity.as_str())
            .version(Version::V16)
            .password(PASSWORD);
        if let Ok(talk) = station.connect().await
            && talk.call("Heartbeat", json!({})).await.is_ok()
        {
            here.fetch_add(1, Ordering::Relaxed);
            talk.over().await;
            here.fetch_sub(1, Ordering::Relaxed);
        }
        tokio::time::sleep(RETRY).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_passive_host_takes_over_with_what_the_last_backup_knew() {
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let (address, admin) = (free(), free());
    let active = Scene::new();
    host(&active, address, admin, csms.url());
    active.register_all((0..STATIONS).map(|number| format!("CP-{number}")), PASSWORD);
    // What a timer does in the guide: key once, backup often.
    let passive = Scene::new();
    host(&passive, address, admin, csms.url());
    std::fs::create_dir_all(passive.path("keys")).unwrap();
    std::fs::copy(
        active.path("keys/portcullis.key"),
        passive.path("keys/portcullis.key"),
    )
    .unwrap();
    active.run(&["backup", "last"]).is(0);
    let from = active.path("last").display().to_string();
    passive.run(&["restore", "--force", &from]).is(0);

    let gate = active.serve();
    let here = Arc::new(AtomicUsize::new(0));
    let url = format!("ws://{address}/ocpp");
    for number in 0..STATIONS {
        tokio::spawn(live(url.clone(), format!("CP-{number}"), Arc::clone(&here)));
    }
    let back = || here.load(Ordering::Relaxed);
    eventually(
        || back() == STATIONS,
        || format!("{} of {STATIONS} are here", back()),
    );

    gate.signal("-KILL");
    let cut = Instant::now();
    let mut failures = 0;
    while failures < FALL {
        failures = match TcpStream::connect_timeout(&admin, ASK_EVERY) {
            Ok(_) => 0,
            Err(_) => failures + 1,
        };
        tokio::time::sleep(ASK_EVERY).await;
    }
    let noticed = cut.elapsed();
    let gate = passive.serve();
    let enough = STATIONS - STATIONS / 20;
    eventually(
        || back() >= enough,
        || format!("{} of {STATIONS} are back", back()),
    );
    let outage = cut.elapsed();
    assert!(outage < OUTAGE_MAX, "{outage:?}");
    assert!(noticed < outage);
    eprintln!("noticed after {noticed:?}, 95 % of {STATIONS} stations back after {outage:?}");
    gate.expect_metric("portcullis_sessions_panicked_total 0");
    assert_eq!(gate.stop().code, 0);
}

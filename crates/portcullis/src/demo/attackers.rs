//! Those who act on the gate beside the fleet: attackers, and the people at the CSMS.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ocpp::Version;
use sim::attack::{Attack, Saw, Target};
use sim::fleet::order;
use sim::{CallFailed, Chance, Csms};
use tokio::time::sleep;

use super::lock;
use super::show::Show;

/// Before the first attack, so that there is something to attack.
const FIRST_ATTACK_AFTER: Duration = Duration::from_millis(1_500);
/// Between two attacks.
const ATTACK_EVERY: Duration = Duration::from_millis(1_500);
/// As long as an event may be under way from the gate to the view.
const EVENTS_TAKE: Duration = Duration::from_millis(150);
/// Between two calls from the CSMS.
const ORDER_EVERY: Duration = Duration::from_millis(700);

/// Tries every attack, in another order each round: strangers at the door and the owner of the
/// stolen password at the same time, since they are two.
pub(super) async fn attack(target: Target, show: Arc<Mutex<Show>>, seed: u64) {
    let (inside, outside): (Vec<Attack>, Vec<Attack>) =
        Attack::all().into_iter().partition(Attack::needs_a_session);
    sleep(FIRST_ATTACK_AFTER).await;
    tokio::join!(
        rounds(outside, &target, &show, seed),
        rounds(inside, &target, &show, seed),
    );
}

async fn rounds(mut attacks: Vec<Attack>, target: &Target, show: &Mutex<Show>, seed: u64) {
    let mut chance = Chance::with_seed(seed);
    loop {
        chance.shuffle(&mut attacks);
        for attack in &attacks {
            lock(show).attack(attack.name, attack.tries);
            let target = Target {
                from: address_of_its_own(&target.url),
                ..target.clone()
            };
            let saw = attack.run(&target).await;
            // The gate's own words come by way of a queue; let them come first.
            sleep(EVENTS_TAKE).await;
            tell(show, attack, &saw);
            sleep(ATTACK_EVERY).await;
        }
    }
}

/// An address of this machine that no attacker has come from before: who comes again and again from
/// one is soon turned away for its failures alone, whatever it tries. Only Linux has all of 127/8.
pub(super) fn address_of_its_own(url: &str) -> Option<IpAddr> {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let address = IpAddr::V4(Ipv4Addr::new(127, 66, high, low));
    let usable = url.contains("//localhost:") && TcpListener::bind((address, 0)).is_ok();
    usable.then_some(address)
}

fn tell(show: &Mutex<Show>, attack: &Attack, saw: &Saw) {
    let mut show = lock(show);
    let by_schema = attack.is_judged_by_schema() && !saw.held();
    if by_schema {
        let words =
            "it passed, noted: the schema is only observed here ([controls] in portcullis.toml)";
        show.attacker_saw(attack.name, words);
    } else {
        show.attacker_saw(attack.name, &saw.to_string());
    }
    if !saw.held() && !by_schema {
        show.got_through(attack.name);
    }
}

/// Calls stations, as people at a CSMS do on an ordinary day.
pub(super) async fn order_about(csms: Arc<Csms>, seed: u64) {
    let mut chance = Chance::with_seed(seed);
    loop {
        sleep(ORDER_EVERY).await;
        let connected = csms.connected();
        let Some(station) = chance.choice(&connected) else {
            continue;
        };
        // Who names no version speaks 1.6.
        let version = station.version().unwrap_or(Version::V16);
        let (action, payload) = order(version, &mut chance);
        // What comes of it is seen at the gate.
        let answer: Result<_, CallFailed> = station.call(action, payload).await;
        drop(answer);
    }
}

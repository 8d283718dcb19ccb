//! A station's days: it connects, boots, idles, charges, loses its connection, and comes back.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::words::{Plug, Words};
use super::{Charger, Ground, Proof, Quirk, Tally};
use crate::answers;
use crate::conversation::{CallFailed, Conversation};
use crate::envelope::Envelope;
use crate::station::Station;

/// Seconds of the fleet's time between two attempts to connect; it doubles up to the maximum.
const RETRY_SECONDS_MIN: f64 = 10.0;
/// The longest such wait.
const RETRY_SECONDS_MAX: f64 = 160.0;
/// A call that is not answered for so long, in real time, ends the connection.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// The connection is of no use any more.
pub(super) struct Over;

/// Lives until the fleet is dropped.
pub(super) async fn live(
    charger: Charger,
    tls: Arc<ClientConfig>,
    mut chance: fastrand::Rng,
    ground: Arc<Ground>,
) {
    let station = station(&charger, tls, &ground);
    let mut words = Words::new(&charger);
    let mut retry = RETRY_SECONDS_MIN;
    sleep(ground.scaled(chance.f64() * 20.0)).await;
    loop {
        match station.connect().await {
            Err(_) => {
                Tally::add(&ground.tally.turned_away);
                sleep(ground.scaled(retry * (0.5 + chance.f64()))).await;
                retry = (retry * 2.0).min(RETRY_SECONDS_MAX);
            }
            Ok(link) => {
                retry = RETRY_SECONDS_MIN;
                Tally::add(&ground.tally.connected);
                Tally::add(&ground.tally.live);
                let _leaving = Leaving(&ground.tally);
                let mut day = Day {
                    charger: &charger,
                    words: &mut words,
                    chance: &mut chance,
                    ground: &ground,
                    link: &link,
                    heartbeat: Instant::now(),
                    heartbeat_seconds: 0.0,
                };
                // Either way the next thing to do is to come back.
                let (Ok(()) | Err(Over)) = day.spend().await;
            }
        }
        sleep(ground.scaled(RETRY_SECONDS_MIN * chance.f64())).await;
    }
}

/// Counts a connection out however it ends, a dropped fleet included.
struct Leaving<'t>(&'t Tally);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0
            .live
            .fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    }
}

fn station(charger: &Charger, tls: Arc<ClientConfig>, ground: &Ground) -> Station {
    let handler = answers::station();
    let station = Station::new(&ground.url, &charger.identity)
        .tls(tls)
        .recording(0)
        .answering(move |asked| handler(asked));
    let station = if charger.has(Quirk::NamesNoVersion) {
        station
    } else {
        station.version(charger.version)
    };
    match &charger.proof {
        Proof::Password(password) => station.password(password.clone()),
        Proof::Certificate(_) | Proof::Nothing => station,
    }
}

/// One connection's time.
pub(super) struct Day<'d, 'c> {
    pub(super) charger: &'c Charger,
    pub(super) words: &'d mut Words<'c>,
    pub(super) chance: &'d mut fastrand::Rng,
    pub(super) ground: &'d Ground,
    pub(super) link: &'d Conversation,
    heartbeat: Instant,
    heartbeat_seconds: f64,
}

impl Day<'_, '_> {
    /// Boots and then charges cars until the connection goes.
    async fn spend(&mut self) -> Result<(), Over> {
        self.boot().await?;
        loop {
            let idle = 20.0 + self.chance.f64() * 100.0;
            self.idle(idle).await?;
            if self.charger.has(Quirk::DiesAbruptly) && self.chance.u8(..4) == 0 {
                return self.link.die().map_err(|_| Over);
            }
            self.charge().await?;
        }
    }

    async fn boot(&mut self) -> Result<(), Over> {
        if self.charger.has(Quirk::Pipelines) {
            self.boot_without_waiting().await?;
        } else {
            loop {
                let answer = self.call("BootNotification", self.words.boot()).await?;
                let seconds = answer["interval"].as_f64().unwrap_or_default().max(1.0);
                self.heartbeat_seconds = seconds;
                if answer["status"] == "Accepted" {
                    break;
                }
                self.idle(seconds).await?;
            }
            self.words.set_clock();
            for evse in 1..=self.charger.evses {
                self.status(evse, Plug::Free).await?;
            }
        }
        let started = self.words.security_event();
        self.call("SecurityEventNotification", started).await?;
        Ok(())
    }

    async fn boot_without_waiting(&mut self) -> Result<(), Over> {
        let boot = self.begin("BootNotification", self.words.boot())?;
        let mut notices = Vec::new();
        for evse in 1..=self.charger.evses {
            let status = self.words.status(evse, Plug::Free);
            notices.push(self.begin("StatusNotification", status)?);
        }
        let answer = self.settle(boot.await)?;
        self.heartbeat_seconds = answer["interval"].as_f64().unwrap_or_default().max(1.0);
        self.words.set_clock();
        for notice in notices {
            self.settle(notice.await)?;
        }
        Ok(())
    }

    pub(super) async fn status(&mut self, evse: u32, plug: Plug) -> Result<(), Over> {
        let status = self.words.status(evse, plug);
        self.call("StatusNotification", status).await.map(drop)
    }

    /// Waits so many seconds of the fleet's time, with heartbeats when they are due.
    pub(super) async fn idle(&mut self, seconds: f64) -> Result<(), Over> {
        let end = Instant::now() + self.ground.scaled(seconds);
        loop {
            let due = self.heartbeat + self.ground.scaled(self.heartbeat_seconds.max(1.0));
            let next = end.min(due);
            tokio::select! {
                _ = self.link.over() => return Err(Over),
                () = tokio::time::sleep_until(next) => {}
            }
            if next == end {
                return Ok(());
            }
            self.call("Heartbeat", json!({})).await?;
        }
    }

    pub(super) async fn call(&mut self, action: &str, payload: Value) -> Result<Value, Over> {
        Tally::add(&self.ground.tally.calls);
        // OCPP 1.6, 4.6: any message is as good as a heartbeat.
        self.heartbeat = Instant::now();
        let again = self.charger.has(Quirk::RepeatsItself) && self.chance.u8(..4) == 0;
        let id = self.link.fresh_id();
        let answer = self.link.begin(&id, action, payload.clone());
        let answer = answer.map_err(|_| Over)?;
        if again {
            let call = Envelope::Call {
                id,
                action: action.to_owned(),
                payload,
            };
            self.link.send_text(call.write()).map_err(|_| Over)?;
        }
        match tokio::time::timeout(ANSWER_MAX, answer).await {
            Ok(answered) => self.settle(answered),
            Err(_) => {
                Tally::add(&self.ground.tally.unanswered);
                Err(Over)
            }
        }
    }

    fn begin(&mut self, action: &str, payload: Value) -> Result<Pending, Over> {
        Tally::add(&self.ground.tally.calls);
        self.heartbeat = Instant::now();
        let id = self.link.fresh_id();
        self.link.begin(&id, action, payload).map_err(|_| Over)
    }

    pub(super) fn send(&self, action: &str, payload: Value) -> Result<(), Over> {
        let send = Envelope::Send {
            id: self.link.fresh_id(),
            action: action.to_owned(),
            payload,
        };
        self.link.send_text(send.write()).map_err(|_| Over)
    }

    /// A refused call is no reason to stop: real stations go on.
    fn settle(
        &self,
        answered: Result<Result<Value, CallFailed>, tokio::sync::oneshot::error::RecvError>,
    ) -> Result<Value, Over> {
        let tally = &self.ground.tally;
        match answered {
            Ok(Ok(value)) => {
                Tally::add(&tally.answered);
                Ok(value)
            }
            Ok(Err(CallFailed::Error { .. })) => {
                Tally::add(&tally.refused);
                Ok(Value::Null)
            }
            Ok(Err(CallFailed::Silence | CallFailed::Gone)) | Err(_) => {
                Tally::add(&tally.unanswered);
                Err(Over)
            }
        }
    }
}

/// The answer to a call, once it comes.
type Pending = tokio::sync::oneshot::Receiver<Result<Value, CallFailed>>;

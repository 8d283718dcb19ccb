//! What a session learns of its station from the messages that pass, and keeps in its memory. Only
//! what was passed on teaches anything: a refused message has not been said.

use std::sync::Arc;
use std::time::Duration;

use ocpp::catalogue::ActionFacts;
use ocpp::{Answer, Call, Facts, Meaning, Version};

use super::StationState;
use crate::memory::{BootIdentity, OpenTransaction, Registration, TransactionId};
use crate::memory::{mark, message_mark, number};
use crate::{ConnectionKind, Moment, StationMemory};

/// What was asked and is not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Unanswered {
    /// What the latest BootNotification says the station is.
    boot: Option<BootIdentity>,
    /// StartTransactions without an id so far.
    starts: Vec<Start>,
}

#[derive(Debug)]
struct Start {
    message: u64,
    place: u16,
    start: u64,
}

/// StartTransactions remembered until their answer comes; beyond it the oldest goes, and its
/// transaction stays unknown.
const STARTS_MAX: usize = 8;

/// The station has been told to wait.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// When that answer was passed on.
    pub(crate) since: Duration,
    /// What held before.
    pub(crate) before: Registration,
    /// What the CSMS has asked it to send all the same, by [`ActionFacts::index`].
    instructed: [u64; 2],
}

/// What is to be told to whoever keeps the memories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// A transaction has begun whose id the CSMS gave out (1.6).
    pub began: Option<i64>,
    /// One has ended.
    pub ended: Option<i64>,
}

impl StationState {
    /// Takes what has changed in the station's memory since it was asked last; nearly always nothing.
    #[inline]
    pub fn take_news(&mut self) -> Option<News> {
        self.news.take().map(|news| *news)
    }

    /// What the CSMS has just answered went no further, so the station does not know of it.
    pub fn was_not_heard(&mut self) {
        self.doubt();
    }

    /// What is remembered of the station.
    pub fn memory(&self) -> &Arc<StationMemory> {
        &self.memory
    }

    /// The station's registration as it held for a message that came in then. Who has just been told
    /// to wait may have sent more before it heard so: [`IN_TRANSIT`] is granted for that.
    pub(crate) fn registration(&self, arrived: Moment, now: Moment) -> Registration {
        let registration = self.memory.registration(now.wall);
        match &self.waiting {
            Some(waiting) if arrived.elapsed <= waiting.since.saturating_add(IN_TRANSIT) => {
                match waiting.before.must_wait() {
                    true => registration,
                    false => waiting.before,
                }
            }
            _ => registration,
        }
    }

    /// Whether the CSMS has asked a station that must wait to send this.
    pub(crate) fn is_instructed(&self, action: &ActionFacts) -> bool {
        let (word, bit) = place(action.index);
        let instructed = self.waiting.as_ref().map(|waiting| waiting.instructed);
        instructed.is_some_and(|words| words.get(word).is_some_and(|word| word & bit != 0))
    }

    /// What a BootNotification says the station is.
    pub(crate) fn boot_identity(&self, facts: &Facts<'_>) -> BootIdentity {
        BootIdentity::of(facts, self.key.as_deref())
    }

    pub(super) fn learn_told(&mut self, action: &ActionFacts, call: &Call<'_>) {
        match action.name {
            "BootNotification" => {
                let boot = self.boot_identity(&call.facts);
                self.unanswered.get_or_insert_default().boot = Some(boot);
                self.doubt();
            }
            "StartTransaction" => self.remember_start(call),
            "StopTransaction" => self.learn_end(call.facts.first(Meaning::TransactionId)),
            "MeterValues" => self.learn_use(call.facts.first(Meaning::TransactionId)),
            "TransactionEvent" => self.learn_event(&call.facts),
            _ => {}
        }
    }

    pub(super) fn learn_asked(&mut self, action: &ActionFacts, facts: &Facts<'_>, now: Moment) {
        if matches!(action.name, "UpdateFirmware" | "SignedUpdateFirmware")
            && !self.memory.firmware_job
        {
            self.change(|memory| memory.firmware_job = true);
        }
        if !self.memory.registration.must_wait() {
            return;
        }
        let wanted = facts.iter().find(|fact| {
            fact.field.meaning == Meaning::Kind && fact.field.name == "requestedMessage"
        });
        let wanted = wanted.map(|fact| facts.text(fact));
        let version = self.version;
        let registration = self.memory.registration(now.wall);
        let waiting = self.waiting.get_or_insert_with(|| {
            Box::new(Waiting {
                since: Duration::ZERO,
                before: registration,
                instructed: [0; 2],
            })
        });
        if wanted == Some("CustomTrigger") {
            waiting.instructed = [u64::MAX; 2];
        }
        for name in replies(action.name, wanted) {
            if let Some(reply) = ocpp::catalogue::action(version, name) {
                let (word, bit) = place(reply.index);
                if let Some(word) = waiting.instructed.get_mut(word) {
                    *word |= bit;
                }
            }
        }
    }

    pub(super) fn learn_answered(
        &mut self,
        action: &ActionFacts,
        answer: &Answer<'_>,
        now: Moment,
    ) {
        match action.name {
            "BootNotification" => {
                let status = answer.facts.first(Meaning::Status);
                if let Some(registration) = status.and_then(Registration::read) {
                    self.learn_registration(registration, now);
                }
            }
            "StartTransaction" => self.learn_begin(answer),
            "GetConfiguration" => self.learn_connectors(&answer.facts),
            _ => {}
        }
    }

    fn learn_registration(&mut self, registration: Registration, now: Moment) {
        let before = self.memory.registration(now.wall);
        let boot = self.unanswered.as_mut().and_then(|asked| asked.boot.take());
        self.forget_answered();
        if registration.must_wait() {
            self.waiting = Some(Box::new(Waiting {
                since: now.elapsed,
                before,
                instructed: [0; 2],
            }));
            // Each answer begins the wait anew.
            return self.change(|memory| {
                memory.registration = registration;
                memory.registered_at = now.wall;
            });
        }
        self.waiting = None;
        self.is_imposter = false;
        if self.memory.registration != registration {
            self.change(|memory| {
                memory.registration = registration;
                memory.registered_at = now.wall;
            });
        }
        if let Some(boot) = boot {
            self.learn_identity(boot);
        }
    }

    /// The CSMS has accepted a station that says it is this.
    fn learn_identity(&mut self, boot: BootIdentity) {
        let kind = self.session.as_ref().map(|session| session.kind);
        let binds = kind == Some(ConnectionKind::TlsCertificate)
            && self.memory.bound_serial.is_none()
            && boot.serial.is_some();
        let known = self.memory.boot.as_deref();
        if known == Some(&boot) && !binds {
            return;
        }
        let other_firmware = known.is_some_and(|known| known.firmware != boot.firmware);
        let other_station = known.is_some_and(|known| {
            (&known.maker, &known.model, &known.serial) != (&boot.maker, &boot.model, &boot.serial)
        });
        self.change(|memory| {
            if binds {
                memory.bound_serial.clone_from(&boot.serial);
            }
            memory.firmware_job &= !other_firmware;
            if other_station {
                memory.connectors = None;
            }
            memory.boot = Some(Box::new(boot));
        });
    }

    fn remember_start(&mut self, call: &Call<'_>) {
        let start = Start {
            message: message_mark(call.id),
            place: place_of(&call.facts, Meaning::Connector).unwrap_or_default(),
            start: start_mark(&call.facts),
        };
        let starts = &mut self.unanswered.get_or_insert_default().starts;
        if starts.len() >= STARTS_MAX {
            starts.remove(0);
        }
        starts.push(start);
    }

    fn learn_begin(&mut self, answer: &Answer<'_>) {
        let message = message_mark(answer.id);
        let Some(asked) = self.unanswered.as_mut() else {
            return;
        };
        let Some(index) = asked.starts.iter().position(|one| one.message == message) else {
            return;
        };
        let start = asked.starts.remove(index);
        self.forget_answered();
        let text = answer.facts.first(Meaning::TransactionId);
        let Some(id) = text.and_then(number) else {
            return;
        };
        let csms = self.csms;
        self.change(|memory| {
            memory.transactions.begin(OpenTransaction {
                id: TransactionId::Number(id),
                place: start.place,
                csms,
                start: start.start,
                sure: true,
            });
        });
        self.news.get_or_insert_default().began = Some(id);
    }

    /// 2.x: the station makes the id, and says itself when the transaction begins and ends.
    fn learn_event(&mut self, facts: &Facts<'_>) {
        let mut kinds = facts.iter();
        let kind = kinds.find(|fact| fact.field.name == "eventType");
        let id = facts.first(Meaning::TransactionId);
        match kind.map(|fact| facts.text(fact)) {
            Some("Started") => self.learn_started(id, facts),
            Some("Ended") => self.learn_end(id),
            _ => self.learn_use(id),
        }
    }

    fn learn_started(&mut self, id: Option<&str>, facts: &Facts<'_>) {
        let id = id.and_then(|id| TransactionId::read(self.version, id));
        let (Some(id), csms) = (id, self.csms) else {
            return;
        };
        let place = place_of(facts, Meaning::Evse).unwrap_or_default();
        self.change(|memory| {
            memory.transactions.begin(OpenTransaction {
                id,
                place,
                csms,
                start: 0,
                sure: true,
            });
        });
    }

    fn learn_end(&mut self, id: Option<&str>) {
        let csms = self.csms;
        let open = id.is_some_and(|id| {
            let mut open = self.memory.transactions.open.iter();
            open.any(|open| open.csms == csms && open.id.is(id))
        });
        match id {
            Some(id) if open => {
                self.change(|memory| {
                    memory.transactions.end(csms, id);
                });
                self.news.get_or_insert_default().ended = number(id);
            }
            // It ends something under a name that we do not know: which one, nobody can say.
            _ => self.doubt(),
        }
    }

    fn learn_use(&mut self, id: Option<&str>) {
        if let Some(id) = id
            && self.memory.transactions.is_news(self.csms, id)
        {
            // How sure we are is of this session alone, so nobody needs to keep it.
            let csms = self.csms;
            Arc::make_mut(&mut self.memory)
                .transactions
                .confirm(csms, id);
        }
    }

    fn doubt(&mut self) {
        if self.memory.transactions.open.iter().any(|open| open.sure) {
            Arc::make_mut(&mut self.memory).transactions.doubt();
        }
    }

    fn learn_connectors(&mut self, facts: &Facts<'_>) {
        if self.version != Version::V16 {
            return;
        }
        let mut keys = facts.iter();
        let key = keys.find(|fact| {
            fact.field.meaning == Meaning::ConfigKey && facts.text(fact) == "NumberOfConnectors"
        });
        let Some(key) = key else { return };
        let mut values = facts.iter();
        let value = values
            .find(|fact| fact.field.meaning == Meaning::ConfigValue && fact.object == key.object);
        let many = value.and_then(|fact| facts.text(fact).trim().parse::<u16>().ok());
        let many = many.filter(|many| (1..u16::MAX).contains(many));
        if many.is_some() && many != self.memory.connectors {
            self.change(|memory| memory.connectors = many);
        }
    }

    /// Changes what is remembered. The one who keeps the memories may still hold the old one, which
    /// stays as it was.
    fn change(&mut self, change: impl FnOnce(&mut StationMemory)) {
        change(Arc::make_mut(&mut self.memory));
        self.news.get_or_insert_default();
    }

    fn forget_answered(&mut self) {
        let rests = |asked: &Unanswered| asked.boot.is_some() || !asked.starts.is_empty();
        if !self.unanswered.as_deref().is_some_and(rests) {
            self.unanswered = None;
        }
    }
}

/// How long a message may have been under way when its sender is told to wait: a slow mobile link.
const IN_TRANSIT: Duration = Duration::from_secs(5);

/// Where in two words an action's bit is; both versions of 2.x have fewer than 128.
const fn place(index: u16) -> (usize, u64) {
    (index as usize / 64, 1 << (index % 64))
}

/// A connector's or an EVSE's number.
pub(crate) fn place_of(facts: &Facts<'_>, meaning: Meaning) -> Option<u16> {
    number(facts.first(meaning)?).and_then(|place| u16::try_from(place).ok())
}

/// What tells one StartTransaction from another, were it sent twice: its time and its meter. Its
/// token is left out, since this is kept.
pub(crate) fn start_mark(facts: &Facts<'_>) -> u64 {
    let first = |meaning| facts.first(meaning).unwrap_or_default();
    mark(&[first(Meaning::Timestamp), first(Meaning::Reading)])
}

/// What a station sends because it was asked to, even while it must wait (1.6: 4.2 and 5.17; 2.x:
/// B02 and F06), and what follows by itself from an order that it may carry out then.
fn replies<'n>(asked: &str, wanted: Option<&'n str>) -> impl Iterator<Item = &'n str> {
    let follows: &[&str] = match asked {
        "GetBaseReport" | "GetReport" => &["NotifyReport"],
        "GetMonitoringReport" => &["NotifyMonitoringReport"],
        "SetVariableMonitoring" | "SetMonitoringBase" => &["NotifyEvent"],
        "CustomerInformation" => &["NotifyCustomerInformation"],
        "GetChargingProfiles" => &["ReportChargingProfiles"],
        "GetDisplayMessages" => &["NotifyDisplayMessages"],
        "GetLog" => &["LogStatusNotification"],
        "GetDiagnostics" => &["DiagnosticsStatusNotification"],
        "UpdateFirmware" | "SignedUpdateFirmware" => {
            &["FirmwareStatusNotification", "SecurityEventNotification"]
        }
        "PublishFirmware" => &["PublishFirmwareStatusNotification"],
        _ => &[],
    };
    let wanted = wanted.map(|wanted| match wanted.starts_with("Sign") {
        true => "SignCertificate",
        false => wanted,
    });
    follows.iter().copied().chain(wanted)
}

//! What policy remembers about one live session.

use std::num::NonZeroI64;
use std::sync::Arc;
use std::time::Duration;

use ocpp::catalogue::ActionFacts;
use ocpp::{Action, Answer, Call, Exchange, Facts, Meaning, Message, Side, Version};

use self::learn::{Unanswered, Waiting};
use crate::change::Asked;
use crate::model::Model;
use crate::policy::{Standing, StationClock};
use crate::rates::Buckets;
use crate::rules::Patched;
use crate::scope::Ruling;
use crate::{CredentialChange, Finding, Moment, PseudonymKey, SessionFacts, StationMemory};

mod learn;

pub use learn::News;
pub(crate) use learn::{place_of, start_mark};

/// One session's memory: its open CALLs, and how seldom its station may speak.
#[derive(Debug)]
pub struct StationState {
    version: Version,
    pub(crate) exchange: Exchange,
    /// In seconds; zero until one was seen.
    heartbeat_longest: u32,
    /// What its BootNotification said it is.
    pub(crate) model: Option<Arc<Model>>,
    /// Whose it is; for rules that name stations.
    pub(crate) session: Option<Arc<SessionFacts>>,
    /// How much it may still say of each kind.
    pub(crate) buckets: Buckets,
    /// What the scopes in force say of it.
    pub(crate) ruling: Ruling,
    /// Which virtual patches it needs.
    pub(crate) patched: Patched,
    /// What is known of its clock.
    pub(crate) clock: StationClock,
    /// How it stands to what its exception demands of its BootNotification.
    pub(crate) demand: Standing,
    /// The CSMS gives the station another credential, and waits for the answer.
    change: Option<Box<Asked>>,
    /// What is remembered of its station; shared with the one who keeps the memories.
    pub(crate) memory: Arc<StationMemory>,
    /// For what is remembered only as a pseudonym.
    key: Option<Arc<PseudonymKey>>,
    /// Which CSMS gives out its transactions' ids ([`crate::csms_mark`]).
    pub(crate) csms: u64,
    unanswered: Option<Box<Unanswered>>,
    waiting: Option<Box<Waiting>>,
    news: Option<Box<News>>,
    /// The transaction of another station that the message at hand speaks of.
    pub(crate) foreign: Option<NonZeroI64>,
    /// It has said that it is another station than the one its certificate is bound to.
    pub(crate) is_imposter: bool,
}

impl StationState {
    /// The longest Heartbeat interval we believe: a longer one would keep dead sessions for good.
    pub const HEARTBEAT_SECONDS_MAX: u32 = 24 * 60 * 60;

    /// A new session's; `seed` is random and secret ([`Exchange::new`]).
    pub fn new(version: Version, seed: u64) -> StationState {
        StationState {
            version,
            exchange: Exchange::new(seed),
            heartbeat_longest: 0,
            model: None,
            session: None,
            buckets: Buckets::default(),
            ruling: Ruling::default(),
            patched: Patched::default(),
            clock: StationClock::default(),
            demand: Standing::default(),
            change: None,
            memory: Arc::default(),
            key: None,
            csms: 0,
            unanswered: None,
            waiting: None,
            news: None,
            foreign: None,
            is_imposter: false,
        }
    }

    /// The same for a session whose station is known, so that rules may name it.
    pub fn of(session: Arc<SessionFacts>, seed: u64) -> StationState {
        let state = StationState::new(session.version, seed);
        let mut exception = session.exception.iter();
        StationState {
            demand: match exception.any(|exception| exception.boot.is_some()) {
                true => Standing::Owed,
                false => Standing::Free,
            },
            session: Some(session),
            ..state
        }
    }

    /// The same with what is remembered of the station, the key for what is remembered only as a
    /// pseudonym, and the mark of its CSMS ([`crate::csms_mark`]).
    #[must_use]
    pub fn remembering(
        mut self,
        memory: Arc<StationMemory>,
        key: Arc<PseudonymKey>,
        csms: u64,
    ) -> StationState {
        // A station that was here before does not boot anew for us, and is still of its model.
        if let Some(model) = memory.boot().and_then(Model::of_memory) {
            self.is_model(model);
        }
        self.memory = memory;
        self.key = Some(key);
        self.csms = csms;
        self
    }

    /// The mark of its CSMS.
    pub fn csms(&self) -> u64 {
        self.csms
    }

    /// Which transaction a message speaks of that is not known to be its own station's: whoever
    /// knows all stations' is to be asked ([`StationState::is_of_another`]). Ids of 2.x are the
    /// station's own, and 0 and less is what stations write that do not know better.
    #[inline]
    pub fn asks_whose(&self, message: &Message<'_>) -> Option<i64> {
        let Message::Call(call) = message else {
            return None;
        };
        let Action::Known(action) = call.action else {
            return None;
        };
        let asks = self.version == Version::V16
            && call.from == Side::Station
            && matches!(action.name, "StopTransaction" | "MeterValues");
        if !asks {
            return None;
        }
        let text = call.facts.first(Meaning::TransactionId)?;
        let id = crate::memory::number(text).filter(|id| *id > 0)?;
        (!self.memory.transactions.holds(self.csms, text)).then_some(id)
    }

    /// Says that this transaction is another station's, before the message is judged; `None`: it is
    /// not known to be.
    pub fn is_of_another(&mut self, transaction: Option<i64>) {
        self.foreign = transaction.and_then(NonZeroI64::new);
    }

    /// What its BootNotification said it is, once one has been passed on.
    pub fn model(&self) -> Option<&Arc<Model>> {
        self.model.as_ref()
    }

    /// The version this session speaks.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The open CALLs, for the reader.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The longest Heartbeat interval this session was told: the idle limit is to be at least twice
    /// that.
    pub fn heartbeat_longest(&self) -> Option<Duration> {
        (self.heartbeat_longest > 0).then(|| Duration::from_secs(self.heartbeat_longest.into()))
    }

    /// Whether that side has a CALL in flight.
    pub fn call_in_flight(&self, side: Side, now: Moment) -> bool {
        self.exchange.in_flight(side, now.elapsed)
    }

    /// When the next CALL in flight runs out of time, since the process began.
    pub fn next_deadline(&self, now: Moment) -> Option<Duration> {
        self.exchange.next_deadline(now.elapsed)
    }

    /// For how much longer that side is not to be read, having said too much.
    #[inline]
    pub fn slowed_for(&self, side: Side, now: Moment) -> Duration {
        self.buckets.slowed_for(side, now.elapsed)
    }

    /// What the station says it is, where there is something to tell of it.
    pub(crate) fn model_for(&self, findings: &[Finding]) -> Option<Arc<Model>> {
        match findings {
            [] => None,
            _ => self.model.clone(),
        }
    }

    /// A Boot answer sets the interval (1.6: 4.2; 2.x: B01).
    pub(crate) fn answered(&mut self, answer: &Answer<'_>, now: Moment) {
        let Some(Action::Known(action)) = answer.action else {
            return;
        };
        if action.name == "BootNotification"
            && let Some(interval) = answer.facts.first(Meaning::Interval)
        {
            self.learn_heartbeat(interval);
        }
        self.learn_answered(action, answer, now);
    }

    /// A Boot says which model this is.
    pub(crate) fn told(&mut self, action: &ActionFacts, call: &Call<'_>) {
        if action.name == "BootNotification" {
            self.model = Model::of(&call.facts).map(Arc::new);
            self.ruling.forget();
            self.patched.forget();
        }
        self.learn_told(action, call);
    }

    /// The station is of this model.
    pub(crate) fn is_model(&mut self, model: Model) {
        self.model = Some(Arc::new(model));
        self.ruling.forget();
        self.patched.forget();
    }

    /// A forwarded CALL of the CSMS may give the station another credential.
    pub(crate) fn gives(
        &mut self,
        id: &str,
        action: &ActionFacts,
        facts: &Facts<'_>,
    ) -> Option<Box<CredentialChange>> {
        let asked = Asked::of(id, action, facts, self.version)?;
        let offered = Box::new(asked.offered());
        self.change = Some(Box::new(asked));
        Some(offered)
    }

    /// And this may be what the station says to it.
    pub(crate) fn takes(&mut self, answer: &Answer<'_>) -> Option<Box<CredentialChange>> {
        let asked = self.change.take_if(|asked| asked.is_answered_by(answer))?;
        asked.answered(answer).map(Box::new)
    }

    /// The CSMS may set the interval later by configuration. We do not wait for the station's answer: to
    /// believe the longer interval at once only delays our own idle limit.
    pub(crate) fn asked(&mut self, action: &ActionFacts, facts: &Facts<'_>, now: Moment) {
        self.learn_asked(action, facts, now);
        if !matches!(action.name, "ChangeConfiguration" | "SetVariables") {
            return;
        }
        let of = |meaning| {
            facts
                .iter()
                .filter(move |fact| fact.field.meaning == meaning)
        };
        for key in of(Meaning::ConfigKey) {
            let name = ocpp::unescape(facts.text(key));
            if !name.eq_ignore_ascii_case("HeartbeatInterval") {
                continue;
            }
            // Objects are numbered as they open. In 1.6 name and value stand in the same one; in 2.x
            // the name stands in one of those inside its value's, which opened before.
            let values = of(Meaning::ConfigValue).filter(|value| value.object <= key.object);
            if let Some(value) = values.max_by_key(|value| value.object) {
                self.learn_heartbeat(facts.text(value));
            }
        }
    }

    fn learn_heartbeat(&mut self, seconds: &str) {
        if let Ok(seconds) = seconds.trim().parse::<u32>() {
            let seconds = seconds.min(Self::HEARTBEAT_SECONDS_MAX);
            self.heartbeat_longest = self.heartbeat_longest.max(seconds);
        }
    }
}

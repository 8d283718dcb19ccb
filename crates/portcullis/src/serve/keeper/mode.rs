//! The way back: whom an operator has reduced to TLS, authentication and relay. It is in force before
//! it is stored, since a store in trouble must not keep anybody from getting out of trouble.

use std::time::{Duration, Instant};

use store::{Store, StoreError};
use tracing::warn;

use super::Keeper;
use crate::admin::OPERATOR;
use crate::health::Finding;
use crate::serve::orders::{ModeOrder, ModeRefused, ModeView};

/// How often the log is reminded of it.
const REMIND_EVERY: Duration = Duration::from_secs(600);

const SUBJECT: &str = "mode";
const REMEDY: &str = "When the trouble is over: portcullis mode enforce";

/// The way back as the keeper has it.
#[derive(Default)]
pub(super) struct Mode {
    /// As it is in force.
    view: ModeView,
    /// It could not be stored yet.
    unstored: bool,
    reminded: Option<Instant>,
}

impl Mode {
    pub(super) fn is_unstored(&self) -> bool {
        self.unstored
    }

    /// The alarm that stays on.
    pub(super) fn finding(&mut self) -> Finding {
        if self.view.is_empty() {
            self.reminded = None;
            return Finding::ok(SUBJECT, "controls are kept as they are set");
        }
        let what = self.view.in_words();
        let is_due = |at: Instant| at.elapsed() >= REMIND_EVERY;
        if self.reminded.is_some_and(is_due) {
            warn!(remedy = REMEDY, "still {what}");
        }
        if self.reminded.is_none_or(is_due) {
            self.reminded = Some(Instant::now());
        }
        Finding::warn(SUBJECT, what, REMEDY)
    }
}

impl Keeper {
    /// Takes in what the store says, or tells it what it does not know yet.
    pub(super) fn look_at_mode(&mut self) -> Result<(), StoreError> {
        if self.mode.unstored {
            let relaxed = self.mode.view.relaxed();
            self.register.store().set_relaxed(&relaxed)?;
            self.mode.unstored = false;
        }
        let way_back = self.register.store().way_back()?;
        let view = ModeView::of(&way_back.relaxed, way_back.since);
        if view != self.mode.view {
            self.mode.view = view;
            self.lay_down_policy();
        }
        Ok(())
    }

    /// The rules of the configuration, and the way back above them.
    pub(super) fn lay_down_policy(&self) {
        let mut policy = self.config.policy.clone();
        policy.scopes = policy.scopes.relaxed_to(self.mode.view.relaxed());
        self.policy.store(std::sync::Arc::new(policy));
    }

    /// Carries an order out, for running sessions at once.
    pub(super) fn order_mode(&mut self, order: &ModeOrder) -> Result<ModeView, ModeRefused> {
        let book = self.book.load_full();
        let whom = order.whom(|tenant, id| book.find(tenant, id).is_some())?;
        let mut relaxed = self.mode.view.relaxed();
        if order.apply(whom, &mut relaxed) {
            let since = self.mode.view.since.clone();
            let since = since.unwrap_or_else(|| jiff::Timestamp::now().to_string());
            let since = (!relaxed.is_empty()).then_some(since);
            self.mode.view = ModeView::of(&relaxed, since);
            self.lay_down_policy();
            let told = self.mode.view.in_words();
            warn!("the operator has changed the mode: {told}");
            self.done("mode", OPERATOR, told);
            if let Err(error) = self.register.store().set_relaxed(&relaxed) {
                self.mode.unstored = true;
                warn!(
                    remedy = error.remedy(),
                    "the mode is in force, and could not be stored yet: {error}"
                );
            }
        }
        Ok(ModeView {
            stored: !self.mode.unstored,
            running: true,
            ..self.mode.view.clone()
        })
    }
}

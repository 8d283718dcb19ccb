//! Which policy is in force, at the price of one load.

use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};
use guard::Policy;

use crate::gate::Gate;

/// The policy as this thread saw it last. Whether it is still in force is looked at in each turn, which
/// is one load; to hold it for a turn as others do takes three locked instructions.
#[derive(Default)]
pub(super) struct Policies(Option<Cache<Arc<ArcSwap<Policy>>, Arc<Policy>>>);

impl Policies {
    /// The policy that is in force at this gate.
    pub(super) fn of(&mut self, gate: &Gate) -> &Policy {
        let known = self.0.take();
        let known = known.filter(|known| std::ptr::eq(known.arc_swap(), &*gate.policy));
        let known = known.unwrap_or_else(|| Cache::new(Arc::clone(&gate.policy)));
        self.0.insert(known).load()
    }
}

//! The plumbing of conversations: bytes go in, what leaves in their stead comes out.
#![allow(dead_code, reason = "each test file uses a part")]

use guard::{Mode, Moment, Outcome, Policy, StationState, Verdict};
use ocpp::{Frame, Reader, Side, Version};

pub(crate) struct Session {
    pub(crate) policy: Policy,
    pub(crate) reader: Reader,
    pub(crate) state: StationState,
    pub(crate) now: Moment,
}

/// What leaves: the very bytes that came, or our own text and to whom.
#[derive(Debug, PartialEq)]
pub(crate) enum Leaves {
    Same,
    Own(Side, String),
    Nothing,
}

impl Session {
    pub(crate) fn new(version: Version) -> Session {
        Session {
            policy: Policy::default(),
            reader: Reader::new(),
            state: StationState::new(version, 5),
            now: Moment::default(),
        }
    }

    pub(crate) fn strict(version: Version) -> Session {
        let mut session = Session::new(version);
        session.policy.controls.schema = Mode::Enforce;
        session
    }

    pub(crate) fn say(&mut self, from: Side, text: &str) -> Leaves {
        self.frame(from, Frame::text(text.as_bytes())).1
    }

    pub(crate) fn frame(&mut self, from: Side, frame: Frame<'_>) -> (Outcome, Leaves) {
        let (version, limits) = (self.state.version(), &self.policy.limits);
        let message = self
            .reader
            .read(frame, from, version, limits, self.state.exchange());
        let judgement = self
            .policy
            .judge(message, self.now, &mut self.state, self.now);
        let outcome = judgement.outcome();
        let leaves = match &judgement.verdict {
            Verdict::Forward(cleared) => {
                assert_eq!(cleared.bytes(), frame.bytes(), "bytes in are bytes out");
                Leaves::Same
            }
            Verdict::Refuse(refusal) => refusal.own().map_or(Leaves::Nothing, |own| {
                Leaves::Own(own.to(), String::from_utf8_lossy(own.bytes()).into_owned())
            }),
            Verdict::Join | Verdict::Disconnect(_) => Leaves::Nothing,
        };
        (outcome, leaves)
    }

    pub(crate) fn heartbeat(&self) -> Option<u64> {
        self.state
            .heartbeat_longest()
            .map(|longest| longest.as_secs())
    }
}

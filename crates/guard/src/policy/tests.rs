//! Scenes of one session: who says what when, and what becomes of it. Messages are built by hand
//! here; `tests/conversation.rs` tells the same of messages that the reader has read.

mod answers;
mod calls;
mod demand;
mod noise;
mod properties;
mod rates;
mod scopes;
mod turns;

use std::time::Duration;

use ocpp::catalogue;
use ocpp::{
    Action, Answer, AnswerOutcome, Call, Facts, Frame, HardFault, Meaning, Message, Refused,
    SchemaFault, SchemaFaultKind, Side, Unreadable, Version,
};

use super::*;
use crate::{Control, MessageKind, Outcome, Verdict};

use Side::{Csms, Station};

/// One session under one policy, and its clock.
struct Scene {
    policy: Policy,
    state: StationState,
    now: Moment,
}

/// What became of a message: what the event tells, and what is sent in its stead.
#[derive(Debug, PartialEq)]
struct Told {
    outcome: Outcome,
    own: Option<(Side, String)>,
    findings: Vec<(Control, Mode)>,
}

impl Scene {
    fn new(version: Version) -> Scene {
        Scene {
            policy: Policy::default(),
            state: StationState::new(version, 11),
            now: Moment::default(),
        }
    }

    fn with(version: Version, set: impl FnOnce(&mut Policy)) -> Scene {
        let mut scene = Scene::new(version);
        set(&mut scene.policy);
        scene
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    fn judge(&mut self, message: Message<'_>, arrived: Moment) -> Told {
        let judgement = self
            .policy
            .judge(message, arrived, &mut self.state, self.now);
        let own = match &judgement.verdict {
            Verdict::Refuse(refusal) => refusal.own().map(|own| {
                let text = String::from_utf8(own.bytes().to_vec()).unwrap();
                (own.to(), text)
            }),
            _ => None,
        };
        Told {
            outcome: judgement.outcome(),
            own,
            findings: judgement
                .findings
                .iter()
                .map(|finding| (finding.control, finding.mode))
                .collect(),
        }
    }

    fn call(&mut self, from: Side, id: &str, action: &str, body: &str) -> Told {
        self.faulty_call(from, id, action, body, &[])
    }

    fn faulty_call(
        &mut self,
        from: Side,
        id: &str,
        action: &str,
        body: &str,
        faults: &[SchemaFault],
    ) -> Told {
        let text = format!("[2,\"{id}\",\"{action}\",{body}]");
        let message = Message::Call(self.request(from, id, action, &text, faults));
        self.judge(message, self.now)
    }

    fn request<'m>(
        &self,
        from: Side,
        id: &'m str,
        action: &'m str,
        text: &'m str,
        faults: &'m [SchemaFault],
    ) -> Call<'m> {
        let known = catalogue::action(self.state.version(), action);
        Call {
            frame: Frame::text(text.as_bytes()),
            from,
            id,
            action: known.map_or(Action::Unknown(action), Action::Known),
            faults,
            facts: Facts::NONE,
        }
    }

    fn answer(&mut self, from: Side, id: &str) -> Told {
        self.any_answer(from, id, AnswerOutcome::Result, &[])
    }

    fn any_answer(
        &mut self,
        from: Side,
        id: &str,
        outcome: AnswerOutcome,
        faults: &[SchemaFault],
    ) -> Told {
        let text = format!("[3,\"{id}\",{{}}]");
        let message = Message::Answer(Answer {
            frame: Frame::text(text.as_bytes()),
            from,
            id,
            outcome,
            action: None,
            error_code: None,
            faults,
            facts: Facts::NONE,
        });
        self.judge(message, self.now)
    }

    fn noise(&mut self, from: Side, fault: HardFault, refused: Option<(&str, bool)>) -> Told {
        let message = Message::Unreadable(Unreadable {
            frame: Frame::text(b"noise"),
            from,
            fault,
            at: 0,
            refused: refused.map(|(id, wants_answer)| Refused { id, wants_answer }),
        });
        self.judge(message, self.now)
    }

    fn must_wait(&self, from: Side, id: &str, action: &str) -> bool {
        let text = format!("[2,\"{id}\",\"{action}\",{{}}]");
        let message = Message::Call(self.request(from, id, action, &text, &[]));
        self.policy.must_wait(&message, &self.state, self.now)
    }
}

fn forwarded() -> Told {
    Told {
        outcome: Outcome::Forwarded,
        own: None,
        findings: Vec::new(),
    }
}

fn observed(control: Control) -> Told {
    Told {
        findings: vec![(control, Mode::Observe)],
        ..forwarded()
    }
}

fn joined() -> Told {
    Told {
        outcome: Outcome::Joined,
        ..forwarded()
    }
}

fn refused(control: Control, own: Option<(Side, &str)>) -> Told {
    Told {
        outcome: Outcome::Refused(Some(control), None),
        own: own.map(|(to, text)| (to, text.to_owned())),
        findings: vec![(control, Mode::Enforce)],
    }
}

fn fault(kind: SchemaFaultKind, path: &str) -> SchemaFault {
    SchemaFault {
        kind,
        path: path.to_owned(),
        path_in_schema: path.len(),
        meaning: Meaning::Plain,
    }
}

#[test]
fn a_plain_conversation_passes_without_a_finding_or_an_allocation() {
    let mut scene = Scene::new(Version::V16);
    assert_eq!(
        scene.call(Station, "1", "BootNotification", "{}"),
        forwarded()
    );
    assert_eq!(scene.call(Csms, "1", "Reset", "{}"), forwarded());
    assert_eq!(scene.answer(Station, "1"), forwarded());
    assert_eq!(scene.answer(Csms, "1"), forwarded());

    let text = "[2,\"2\",\"Heartbeat\",{}]";
    let call = Message::Call(scene.request(Station, "2", "Heartbeat", text, &[]));
    let (now, policy) = (scene.now, scene.policy.clone());
    let judgement = policy.judge(call, now, &mut scene.state, now);
    assert_eq!(
        (judgement.findings.capacity(), judgement.faults.capacity()),
        (0, 0)
    );
    assert_eq!(judgement.kind, MessageKind::Call);
    assert_eq!(judgement.action, "Heartbeat");
    assert_eq!(judgement.bytes as usize, text.len());
    let Verdict::Forward(cleared) = judgement.verdict else {
        panic!("{judgement:?}");
    };
    assert_eq!(cleared.bytes(), text.as_bytes());
}

#[test]
fn a_session_is_small() {
    assert!(
        size_of::<StationState>() <= 376,
        "{}",
        size_of::<StationState>()
    );
}

//! What a scene may expect of the other end, each with a bounded wait.

use std::time::Duration;

use tokio::time::timeout;

use super::{Called, Conversation, Ended, Payload};
use crate::envelope::Envelope;
use crate::patience::{Unmet, until, whenever};

impl Conversation {
    /// Waits for the next call of that action that nobody has taken yet.
    pub async fn expect_call(&self, action: &str) -> Result<Called, Unmet> {
        self.take(
            &format!("a call {action}"),
            |payload| match Envelope::read(payload.text()?)? {
                Envelope::Call {
                    id,
                    action: named,
                    payload,
                }
                | Envelope::Send {
                    id,
                    action: named,
                    payload,
                } if named == action => Some(Called {
                    id,
                    action: named,
                    payload,
                }),
                _ => None,
            },
        )
        .await
    }

    /// Waits for the answer (CALLRESULT, CALLERROR, CALLRESULTERROR) with that id.
    pub async fn expect_answer(&self, asked: &str) -> Result<Envelope, Unmet> {
        self.take(&format!("an answer to {asked}"), |payload| {
            let envelope = Envelope::read(payload.text()?)?;
            match &envelope {
                Envelope::Result { id, .. }
                | Envelope::Error { id, .. }
                | Envelope::ResultError { id, .. } => (id == asked).then_some(envelope),
                Envelope::Call { .. } | Envelope::Send { .. } => None,
            }
        })
        .await
    }

    /// Waits for the next text payload that nobody has taken yet.
    pub async fn expect_text(&self) -> Result<String, Unmet> {
        self.take("a text message", |payload| {
            payload.text().map(str::to_owned)
        })
        .await
    }

    async fn take<T>(
        &self,
        expected: &str,
        mut matching: impl FnMut(&Payload) -> Option<T>,
    ) -> Result<T, Unmet> {
        let shared = self.shared();
        let found = until(&shared.news, || {
            let mut state = shared.state();
            let taken = state.record.take(&mut matching);
            // After the end nothing more will come, so there is no point in waiting.
            match (taken, &state.ended) {
                (Some(taken), _) => Some(Some(taken)),
                (None, Some(_)) => Some(None),
                (None, None) => None,
            }
        })
        .await;
        found.flatten().ok_or_else(|| self.unmet(expected))
    }

    /// Listens that long and is content when nothing comes.
    pub async fn expect_silence(&self, listen: Duration) -> Result<(), Unmet> {
        let shared = self.shared();
        let before = shared.state().record.heard();
        let spoke = until(&shared.news, || {
            (shared.state().record.heard() != before).then_some(())
        });
        match timeout(listen, spoke).await {
            Err(_) => Ok(()),
            Ok(_) => Err(self.unmet("silence")),
        }
    }

    /// Waits for the end and says how it came.
    pub async fn expect_close(&self) -> Result<Ended, Unmet> {
        let shared = self.shared();
        until(&shared.news, || shared.state().ended.clone())
            .await
            .ok_or_else(|| self.unmet("the end of the connection"))
    }

    /// Waits for the end, however long it takes.
    pub async fn over(&self) -> Ended {
        let shared = self.shared();
        whenever(&shared.news, || shared.state().ended.clone()).await
    }

    fn unmet(&self, expected: &str) -> Unmet {
        let state = self.shared().state();
        let mut saw = state.record.last_words();
        if let Some(ended) = &state.ended {
            saw.push_str(&format!(", then {ended:?}"));
        }
        Unmet {
            expected: format!("{expected} ({})", self.shared().identity),
            saw,
        }
    }
}

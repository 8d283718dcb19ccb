//! The way out for what is learnt at the door: a bounded queue to whoever keeps the register. Nobody
//! here waits for it; a lesson there is no room for is learnt again at the station's next handshake.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use guard::Lesson;

/// The door's end.
#[derive(Clone, Debug)]
pub struct LessonSender(SyncSender<Lesson>);

/// The register's end.
#[derive(Debug)]
pub struct LessonReceiver(Receiver<Lesson>);

/// A queue for at most `capacity` lessons.
pub fn lesson_queue(capacity: usize) -> (LessonSender, LessonReceiver) {
    let (sender, receiver) = sync_channel(capacity);
    (LessonSender(sender), LessonReceiver(receiver))
}

impl LessonSender {
    /// Leaves a lesson; false when there is no room, or nobody takes any more.
    pub(crate) fn teach(&self, lesson: Lesson) -> bool {
        self.0.try_send(lesson).is_ok()
    }
}

impl LessonReceiver {
    /// Takes all that is there, in order.
    pub fn take(&self) -> Vec<Lesson> {
        self.0.try_iter().collect()
    }
}

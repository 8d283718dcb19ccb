//! Who waits is woken when it is time and not before, and a disk that hangs is waited for once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use super::{Durable, Ordinal};

const PATIENCE: Duration = Duration::from_millis(1000);

/// A session that counts how often it is woken.
#[derive(Default)]
struct Session(AtomicU32);

impl Wake for Session {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Session {
    fn waits(self: &Arc<Self>, durable: &Durable, event: u64) -> bool {
        durable.wait(Ordinal(event), &Waker::from(Arc::clone(self)))
    }

    fn woken(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn each_is_woken_when_its_event_is_durable() {
    let durable = Durable::new(PATIENCE);
    let [first, second, third] = [(); 3].map(|()| Arc::<Session>::default());
    for (session, event) in [(&second, 5), (&first, 3), (&third, 6)] {
        assert!(session.waits(&durable, event));
    }
    durable.publish(Ordinal(2), Ordinal(6), at(1));
    assert_eq!(durable.waiting(), 3, "nobody waits for so little");
    durable.publish(Ordinal(5), Ordinal(6), at(2));
    let woken = [&first, &second, &third].map(|session| session.woken());
    assert_eq!((woken, durable.waiting()), ([1, 1, 0], 1));
    // Who says less than was known says nothing.
    durable.publish(Ordinal(4), Ordinal(6), at(3));
    assert!(durable.is_through(Ordinal(5)) && !durable.is_through(Ordinal(6)));
}

#[test]
fn what_is_durable_already_and_what_was_never_told_is_not_waited_for() {
    let durable = Durable::new(PATIENCE);
    let session = Arc::<Session>::default();
    durable.publish(Ordinal(7), Ordinal(9), at(1));
    assert!(!session.waits(&durable, 7));
    assert!(!session.waits(&durable, Ordinal::default().0));
    assert!(session.waits(&durable, 8));
    durable.forget(Ordinal(8));
    durable.publish(Ordinal(9), Ordinal(9), at(2));
    assert_eq!((session.woken(), durable.waiting()), (0, 0), "it has left");
}

#[test]
fn a_disk_that_hangs_is_waited_for_once() {
    let durable = Durable::new(PATIENCE);
    let [impatient, other] = [(); 2].map(|()| Arc::<Session>::default());
    assert!(impatient.waits(&durable, 1) && other.waits(&durable, 2));
    durable.go_on();
    durable.go_on();
    assert_eq!(
        (other.woken(), durable.times()),
        (1, 1),
        "everybody goes on"
    );
    assert!(durable.has_gone_on() && !other.waits(&durable, 3));
    durable.count_unwaited(2);
    durable.count_unwaited(1);
    assert_eq!(durable.unwaited(), 3);
}

#[test]
fn it_is_waited_for_again_when_the_record_has_caught_up() {
    let durable = Durable::new(PATIENCE);
    let session = Arc::<Session>::default();
    durable.go_on();
    // All there is: caught up at once.
    durable.publish(Ordinal(3), Ordinal(3), at(1));
    assert!(!durable.has_gone_on() && session.waits(&durable, 4));

    durable.go_on();
    // Event 100 has been told by now, and takes longer than half of what is borne: it still lags.
    durable.publish(Ordinal(10), Ordinal(100), at(10_000));
    durable.publish(Ordinal(50), Ordinal(200), at(10_300));
    assert!(durable.has_gone_on(), "of 100 nothing is known yet");
    durable.publish(Ordinal(100), Ordinal(300), at(10_501));
    assert!(durable.has_gone_on(), "too slow");
    // Event 300 was told at 10.501, and is durable before 11.001.
    durable.publish(Ordinal(299), Ordinal(400), at(10_900));
    assert!(durable.has_gone_on());
    durable.publish(Ordinal(300), Ordinal(500), at(11_001));
    assert!(!durable.has_gone_on(), "fast enough");
}

//! How many tasks there are in the execution that runs in this thread.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

thread_local! {
    static LIVING: Cell<usize> = const { Cell::new(0) };
    static PANICKED: Cell<bool> = const { Cell::new(false) };
    /// Whoever waits for the last one's end.
    static WAITING: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// A task that has not ended.
pub(super) struct Citizen(());

impl Citizen {
    pub(super) fn new() -> Self {
        LIVING.set(LIVING.get() + 1);
        Self(())
    }
}

impl Drop for Citizen {
    fn drop(&mut self) {
        LIVING.set(LIVING.get() - 1);
        if LIVING.get() == 0
            && let Some(waiting) = WAITING.take()
        {
            waiting.wake();
        }
    }
}

pub(super) fn panicked() {
    PANICKED.set(true);
}

/// A new execution begins.
pub fn begin() {
    LIVING.set(0);
    PANICKED.set(false);
    WAITING.take();
}

/// Waits until all tasks have ended; false if one has panicked. If one never ends, shuttle says that there is a deadlock.
pub async fn all_have_ended() -> bool {
    poll_fn(|cx| match LIVING.get() {
        0 => Poll::Ready(!PANICKED.get()),
        _ => {
            WAITING.set(Some(cx.waker().clone()));
            Poll::Pending
        }
    })
    .await
}

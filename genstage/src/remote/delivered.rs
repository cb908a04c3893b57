use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Outcome, Settled};
use crate::channel::Sender;

/// An event from another machine, which has to be settled: [`done`](Self::done) when it has been dealt with, or
/// [`failed`](Self::failed).
///
/// One that is dropped has failed: so an error or a panic in a handler, and a pipeline that is stopped, have its events come again.
/// Copies, and what [`map`](Self::map) and [`split`](Self::split) make of it, are settled when all of them are.
pub struct Delivered<T> {
    event: T,
    receipt: Receipt,
}

/// What settles an event that has been taken out of its [`Delivered`]. Dropped, it says that the event has failed.
pub struct Receipt {
    slip: Arc<dyn Slip>,
    is_done: bool,
}

/// What is shared by all that has to be done before a delivery is.
trait Slip: Send + Sync {
    fn fail(&self, cause: Option<Arc<str>>);
    fn is_in_progress(&self);
}

struct Shared<R: Clone> {
    receipt: R,
    /// The first failure, if there has been one.
    failed: Mutex<Option<Option<Arc<str>>>>,
    /// Where it is told.
    settled: Sender<Settled<R>>,
}

impl<R: Clone> Shared<R> {
    fn tell(&self, outcome: Outcome) {
        // A source that does not wait any more leaves it to the engine: it comes again.
        let _ = self.settled.send(Settled { receipt: self.receipt.clone(), outcome });
    }
}

impl<R: Clone + Send + Sync> Slip for Shared<R> {
    fn fail(&self, cause: Option<Arc<str>>) {
        self.failed.lock().get_or_insert(cause);
    }

    fn is_in_progress(&self) {
        self.tell(Outcome::InProgress);
    }
}

impl<R: Clone> Drop for Shared<R> {
    fn drop(&mut self) {
        let failed = self.failed.lock().take();
        let outcome = match failed {
            Some(cause) => Outcome::Failed(cause),
            None => Outcome::Done,
        };
        self.tell(outcome);
    }
}

/// Events that are settled together: done with when all of them have been made and are.
pub(super) fn delivered<T, R: Clone + Send + Sync + 'static>(
    events: Vec<T>,
    receipt: R,
    settled: Sender<Settled<R>>,
) -> impl Iterator<Item = Delivered<T>> {
    let slip: Arc<dyn Slip> = Arc::new(Shared { receipt, failed: Mutex::new(None), settled });
    events.into_iter().map(move |event| Delivered { event, receipt: Receipt::new(slip.clone()) })
}

impl Receipt {
    fn new(slip: Arc<dyn Slip>) -> Self {
        Self { slip, is_done: false }
    }

    /// The event has been dealt with.
    pub fn done(mut self) {
        self.is_done = true;
    }

    /// The event has not been dealt with, and is to come again after a while.
    pub fn failed(mut self, cause: impl fmt::Display) {
        self.slip.fail(Some(cause.to_string().into()));
        self.is_done = true;
    }

    /// It takes long: the engine is not to hand the event out again yet. To be said again before its patience ends once more.
    pub fn in_progress(&self) {
        self.slip.is_in_progress();
    }
}

impl Clone for Receipt {
    fn clone(&self) -> Self {
        Self::new(self.slip.clone())
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if !self.is_done {
            self.slip.fail(None);
        }
    }
}

impl<T> Delivered<T> {
    /// The event has been dealt with.
    pub fn done(self) {
        self.receipt.done();
    }

    /// The event has not been dealt with, and is to come again after a while; with the cause, which is kept beside it if it fails
    /// for good.
    pub fn failed(self, cause: impl fmt::Display) {
        self.receipt.failed(cause);
    }

    /// It takes long: the engine is not to hand the event out again yet. To be said again before its patience ends once more.
    pub fn in_progress(&self) {
        self.receipt.in_progress();
    }

    /// Something else in the event's place, to be settled as it.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Delivered<U> {
        let (event, receipt) = self.split();
        Delivered { event: f(event), receipt }
    }

    /// The event, and what settles it.
    pub fn split(self) -> (T, Receipt) {
        (self.event, self.receipt)
    }
}

impl<T> Deref for Delivered<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.event
    }
}

impl<T> DerefMut for Delivered<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.event
    }
}

impl<T: Clone> Clone for Delivered<T> {
    fn clone(&self) -> Self {
        Self { event: self.event.clone(), receipt: self.receipt.clone() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Delivered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delivered").field(&self.event).finish()
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").finish_non_exhaustive()
    }
}

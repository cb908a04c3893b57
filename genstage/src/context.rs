use std::fmt;
use std::sync::Arc;

use crate::role::{Emits, Stage};
use crate::subscription::SubscriptionId;
use crate::{Reason, Subscription};

/// What a callback can say to the runtime: emit events, finish.
///
/// Nothing that is said here waits: it takes effect when the callback returns.
pub struct Context<S: Stage> {
    pub(crate) name: Arc<str>,
    pub(crate) out: Vec<S::Give>,
    pub(crate) finish: bool,
    pub(crate) stop: Option<Reason>,
    /// What is to be done when the callback's events have been sent.
    pub(crate) afterwards: Vec<Box<dyn FnOnce() + Send>>,
    pub(crate) asks: Vec<(SubscriptionId, usize)>,
}

impl<S: Stage> Context<S> {
    pub(crate) fn new(name: Arc<str>) -> Self {
        Self { name, out: Vec::new(), finish: false, stop: None, afterwards: Vec::new(), asks: Vec::new() }
    }

    /// The stage's name: its node's in `pipeline!`, with `[i]` behind it for a replica.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Emits one event.
    ///
    /// Events leave in the order in which they are emitted, once the callback has returned; if it fails, they are lost
    /// with it. What no consumer has asked for waits in the stage's buffer.
    pub fn emit(&mut self, event: S::Emitted)
    where
        S: Emits,
    {
        self.out.push(event);
    }

    /// Emits all events of an iterator, in its order; as [`emit`](Self::emit).
    pub fn emit_all(&mut self, events: impl IntoIterator<Item = S::Emitted>)
    where
        S: Emits,
    {
        self.out.extend(events);
    }

    /// Ends the stage normally, once everything it has emitted has been sent to its consumers.
    ///
    /// No handler is called any more. In a pipeline the normal end travels on: a consumer ends when its last producer
    /// has, and a producer when its last consumer has. Events that a consumer or producer-consumer still has queued
    /// are discarded, and counted so.
    pub fn finish(&mut self) {
        self.finish = true;
    }

    /// Ends the stage with that reason, once this callback has returned and what it emitted has been sent or buffered.
    ///
    /// What is still buffered or queued then is discarded, and counted so.
    pub fn stop(&mut self, reason: Reason) {
        self.stop.get_or_insert(reason);
    }

    /// Asks a producer for `events` more, over a subscription with [`Demand::Manual`](crate::Demand::Manual).
    ///
    /// Nothing happens if the subscription has ended, or for 0 events.
    pub fn ask(&mut self, subscription: &Subscription, events: usize) {
        self.asks.push((subscription.id, events));
    }
}

impl<S: Stage> fmt::Debug for Context<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("name", &self.name).finish_non_exhaustive()
    }
}

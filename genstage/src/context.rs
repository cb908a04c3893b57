use std::fmt;
use std::sync::Arc;

use crate::role::{Emits, Stage};

/// What a callback can say to the runtime: emit events, finish.
///
/// Nothing that is said here waits: it takes effect when the callback returns.
pub struct Context<S: Stage> {
    pub(crate) name: Arc<str>,
    pub(crate) out: Vec<S::Give>,
    pub(crate) finish: bool,
}

impl<S: Stage> Context<S> {
    pub(crate) fn new(name: Arc<str>) -> Self {
        Self { name, out: Vec::new(), finish: false }
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
}

impl<S: Stage> fmt::Debug for Context<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("name", &self.name).finish_non_exhaustive()
    }
}

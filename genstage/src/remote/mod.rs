//! Events from another machine, under demand: what an engine has to be able to do, and the stage that makes a source of it.

mod delivered;
mod source;

pub use delivered::Delivered;
pub use source::{FromRemote, from_remote};

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::Result;

/// An engine that hands out events which were put into it elsewhere, as many as it is asked for, and learns what became of them.
///
/// [`from_remote`] makes a producer of it: demand becomes requests, and each event carries what settles it. At least once is the
/// guarantee that such engines give, and so does the producer: an event that was not settled, whatever the reason, comes again.
///
/// All methods are called by one stage, one after the other. Transient troubles, such as a connection that comes back, are the engine's own
/// to deal with: an error ends the stage, or begins it anew.
pub trait Remote: Send + 'static {
    /// The events.
    type Event: Send + 'static;
    /// What names a delivery to the engine.
    type Receipt: Clone + Send + Sync + 'static;

    /// Runs once, before anything else is called.
    ///
    /// # Errors
    ///
    /// If nothing will ever come.
    fn open(&mut self) -> impl Future<Output = Result> + Send {
        std::future::ready(Ok(()))
    }

    /// Asks for so many events (at least 1) beyond those that it was asked for before. It does not wait for them. What comes together may
    /// bring some more than that, and fewer never come in the end. Cancellation safe: one that is dropped has asked for nothing.
    ///
    /// # Errors
    ///
    /// If they will never come.
    fn request(&mut self, events: usize) -> impl Future<Output = Result> + Send;

    /// Waits for what comes next. None once it was told to [`stop`](Self::stop) and nothing that was requested can come any more.
    ///
    /// Cancellation safe: it is dropped whenever something else is to be done, and what had come by then comes next time.
    ///
    /// # Errors
    ///
    /// If nothing will ever come again.
    fn receive(
        &mut self,
    ) -> impl Future<Output = Result<Option<Delivery<Self::Event, Self::Receipt>>>> + Send;

    /// Tells the engine what became of deliveries, and takes them out of `settled`, one by one.
    ///
    /// Cancellation safe: what is left in `settled` is told next time.
    ///
    /// # Errors
    ///
    /// If the engine will never know.
    fn settle(
        &mut self,
        settled: &mut VecDeque<Settled<Self::Receipt>>,
    ) -> impl Future<Output = Result> + Send;

    /// Requests nothing more, and takes back what it has requested as far as it can. It does not wait: what has been handed out still
    /// comes.
    ///
    /// # Errors
    ///
    /// If the engine does not learn of it.
    fn stop(&mut self) -> impl Future<Output = Result> + Send;

    /// The last thing that is called, however the source has ended: what others have to know of its end. Nothing by default. It is waited
    /// for, and is to wait for a few seconds at most.
    fn close(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// After how long the engine hands out again what was not settled: nobody has to wait for longer than that to settle something.
    fn patience(&self) -> Duration;
}

/// Events that came together, and are settled together.
#[derive(Clone, Debug)]
pub struct Delivery<T, R> {
    /// At least one, in order.
    pub events: Vec<T>,
    /// Names it to the engine.
    pub receipt: R,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled<R> {
    /// Which delivery it was.
    pub receipt: R,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// All of its events are done with.
    Done,
    /// One of its events failed, for that reason, or was dropped: the delivery is to come again, after a while.
    Failed(Option<Arc<str>>),
    /// It is still being worked on: it is not to come again yet.
    InProgress,
}

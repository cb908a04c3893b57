//! What others offer for handlers that run at the same time and send each other messages.

mod flume;
mod kameo;
mod ractor;
mod tokio;

use anyhow::{Error, Result, anyhow};
use futures_util::future::BoxFuture;

pub(crate) use flume::Flume;
pub(crate) use kameo::Kameo;
pub(crate) use ractor::Ractor;
pub(crate) use tokio::Tokio;

/// What is done with each message; a message is a batch or a single event.
pub(crate) trait Handler<T>: Send + Sync + 'static {
    fn handle(&mut self, message: T) -> impl Future<Output = Result<()>> + Send;

    /// All messages have been handled.
    fn end(&mut self) {}
}

/// A way to run handlers, each in a task of its own behind a mailbox.
pub(crate) trait Rival: 'static {
    /// Where a handler's messages go.
    type Address<T: Send + 'static>: Clone + Send + Sync + 'static;

    /// Starts a handler whose mailbox has room for so many messages, if it knows a bound.
    fn spawn<T: Send + 'static>(
        handler: impl Handler<T>,
        room: usize,
    ) -> impl Future<Output = Result<Actor<Self::Address<T>>>> + Send;

    /// Sends a message, when there is room for it.
    fn send<T: Send + 'static>(to: &Self::Address<T>, message: T) -> impl Future<Output = Result<()>> + Send;
}

/// A handler that runs.
pub(crate) struct Actor<A> {
    pub(crate) address: A,
    end: BoxFuture<'static, Result<()>>,
}

impl<A> Actor<A> {
    /// Lets it handle what it was sent, and waits until it has. Nobody else may have its address any more.
    pub(crate) async fn close(self) -> Result<()> {
        drop(self.address);
        self.end.await
    }
}

/// A message could not be sent, or was not answered.
pub(crate) fn ended() -> Error {
    anyhow!("the other side has ended")
}

/// Batches for a window: how large, and how many of them a mailbox has room for.
///
/// As many events as genstage has on their way over an edge, and in the rivals' favour the batch that is with the handler and
/// the one that waits to be sent come on top.
pub(crate) fn halves(window: usize) -> (usize, usize) {
    let batch = window.div_ceil(2);
    (batch, window / batch)
}

//! Messages of the user's own: calls, casts and infos.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::{Context, Result, Stage};

/// A stage that answers requests of type `Req`; see [`StageRef::call`](crate::StageRef::call).
pub trait Call<Req: Send + 'static>: Stage {
    /// The answer.
    type Reply: Send + 'static;

    /// Handles a request, at once: before events that are queued.
    ///
    /// [`ReplyTo::send`] answers right away; [`ReplyTo::after_events`] when what this call emits has been sent. The answer
    /// may also be given later: keep the `ReplyTo`. An error ends the stage.
    fn handle_call(
        &mut self,
        request: Req,
        reply: ReplyTo<Self::Reply>,
        cx: &mut Context<Self>,
    ) -> impl Future<Output = Result> + Send;
}

/// A stage that takes messages of type `Msg` without an answer; see [`StageRef::cast`](crate::StageRef::cast).
pub trait Cast<Msg: Send + 'static>: Stage {
    /// Handles a message, at once: before events that are queued. An error ends the stage.
    fn handle_cast(&mut self, message: Msg, cx: &mut Context<Self>) -> impl Future<Output = Result> + Send;
}

/// A stage that takes messages of type `Msg` in their place among its events; see
/// [`StageRef::info`](crate::StageRef::info).
pub trait Info<Msg: Send + 'static>: Stage {
    /// Handles an info: of a producer, when the events that were buffered before it have been sent; of a
    /// producer-consumer, when also the events that were queued before it have been handled; of a consumer, at once. An
    /// error ends the stage.
    fn handle_info(&mut self, message: Msg, cx: &mut Context<Self>) -> impl Future<Output = Result> + Send;
}

/// Where the answer to a call goes. Dropping it makes the call fail.
#[derive(Debug)]
pub struct ReplyTo<R>(oneshot::Sender<R>);

impl<R: Send + 'static> ReplyTo<R> {
    pub(crate) fn new(sender: oneshot::Sender<R>) -> Self {
        Self(sender)
    }

    /// Answers now; before events that the same handler emits. An answer that nobody waits for any more is dropped.
    pub fn send(self, reply: R) {
        let _ = self.0.send(reply);
    }

    /// Answers when the handler has returned and what it emitted has been sent or buffered.
    pub fn after_events<S: Stage>(self, reply: R, cx: &mut Context<S>) {
        cx.afterwards.push(Box::new(move || self.send(reply)));
    }
}

/// Why a call got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The stage has ended, or dropped the request's [`ReplyTo`].
    #[error("the stage has ended, or did not answer")]
    NoAnswer,
    /// The answer did not come in time. The request may still be handled.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// A stage called itself: it cannot answer while it waits for the answer.
    #[error("a stage cannot call itself")]
    Itself,
}

/// The stage has ended; the message comes back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stage has ended")]
pub struct Ended<M>(pub M);

/// Why [`StageRef::try_cast`](crate::StageRef::try_cast) did not send; the message comes back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TryCastError<M> {
    /// There is no room in the mailbox.
    #[error("the mailbox is full")]
    Full(M),
    /// The stage has ended.
    #[error("the stage has ended")]
    Ended(M),
}

// Whatever the message is: an error that cannot be shown cannot be unwrapped.

impl<M> fmt::Debug for Ended<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ended(…)")
    }
}

impl<M> fmt::Debug for TryCastError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(…)",
            Self::Ended(_) => "Ended(…)",
        })
    }
}

pub(crate) type Handling<'a> = Pin<Box<dyn Future<Output = Result> + Send + 'a>>;

/// A message of the user's, whatever its type.
pub(crate) trait Envelope<S: Stage>: Send {
    /// Calls its handler.
    fn open<'a>(self: Box<Self>, stage: &'a mut S, cx: &'a mut Context<S>) -> Handling<'a>;
}

pub(crate) struct CallEnvelope<Req, R>(pub(crate) Req, pub(crate) ReplyTo<R>);
pub(crate) struct CastEnvelope<Msg>(pub(crate) Msg);
pub(crate) struct InfoEnvelope<Msg>(pub(crate) Msg);

impl<S: Call<Req>, Req: Send + 'static> Envelope<S> for CallEnvelope<Req, S::Reply> {
    fn open<'a>(self: Box<Self>, stage: &'a mut S, cx: &'a mut Context<S>) -> Handling<'a> {
        Box::pin(stage.handle_call(self.0, self.1, cx))
    }
}

impl<S: Cast<Msg>, Msg: Send + 'static> Envelope<S> for CastEnvelope<Msg> {
    fn open<'a>(self: Box<Self>, stage: &'a mut S, cx: &'a mut Context<S>) -> Handling<'a> {
        Box::pin(stage.handle_cast(self.0, cx))
    }
}

impl<S: Info<Msg>, Msg: Send + 'static> Envelope<S> for InfoEnvelope<Msg> {
    fn open<'a>(self: Box<Self>, stage: &'a mut S, cx: &'a mut Context<S>) -> Handling<'a> {
        Box::pin(stage.handle_info(self.0, cx))
    }
}

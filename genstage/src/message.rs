//! Messages of the user's own: calls, casts and infos.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::{Context, Result, Stage};

/// A stage that answers requests of type `Req`; see [`StageRef::call`](crate::StageRef::call). One `impl` for each type of request.
///
/// ```
/// use genstage::prelude::*;
/// use genstage::ReplyTo;
///
/// /// Counts upwards, from where it is told to.
/// #[stage(producer)]
/// struct Counter(u64);
///
/// impl Producer for Counter {
///     type Event = u64;
///
///     async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
///         cx.emit_all(self.0..self.0 + demand as u64);
///         self.0 += demand as u64;
///         Ok(())
///     }
/// }
///
/// /// Asks to go on from there; the answer is where it was.
/// struct GoOnFrom(u64);
///
/// impl Call<GoOnFrom> for Counter {
///     type Reply = u64;
///
///     async fn handle_call(&mut self, from: GoOnFrom, reply: ReplyTo<u64>, _: &mut Context<Self>) -> Result {
///         reply.send(std::mem::replace(&mut self.0, from.0));
///         Ok(())
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let counter = Counter(0).spawn();
/// assert_eq!(counter.call(GoOnFrom(100)).await?, 0);
/// assert_eq!(counter.call(GoOnFrom(200)).await?, 100);
/// # Ok(())
/// # }
/// ```
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

/// A stage that takes messages of type `Msg` without an answer; see [`StageRef::cast`](crate::StageRef::cast). Timers send them, too:
/// [`Context::send_after`], [`Context::interval`].
///
/// ```
/// use genstage::prelude::*;
///
/// /// Passes on what it is told, to whoever has asked for something; the rest waits in its buffer.
/// #[stage(producer, buffer_size = 100)]
/// struct Inbox;
///
/// impl Producer for Inbox {
///     type Event = String;
///
///     async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
///         Ok(()) // it stands until something comes
///     }
/// }
///
/// impl Cast<String> for Inbox {
///     async fn handle_cast(&mut self, message: String, cx: &mut Context<Self>) -> Result {
///         cx.emit(message);
///         Ok(())
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let running = pipeline! { inbox = Inbox; inbox => for_each(|message: String| println!("{message}")); }.start()?;
/// running.inbox.cast("to".to_owned()).await?;
/// running.inbox.try_cast("be".to_owned())?;
/// running.drain().await?;
/// # Ok(())
/// # }
/// ```
pub trait Cast<Msg: Send + 'static>: Stage {
    /// Handles a message, at once: before events that are queued. An error ends the stage.
    fn handle_cast(&mut self, message: Msg, cx: &mut Context<Self>) -> impl Future<Output = Result> + Send;
}

/// A stage that takes messages of type `Msg` in their place among its events; see
/// [`StageRef::info`](crate::StageRef::info).
///
/// ```
/// use genstage::prelude::*;
///
/// /// Passes on lines, and says when all that came before a mark have been sent.
/// #[stage(producer_consumer)]
/// struct Lines;
///
/// impl ProducerConsumer for Lines {
///     type Input = String;
///     type Output = String;
///
///     async fn handle_events(&mut self, lines: &mut Batch<String>, cx: &mut Context<Self>) -> Result {
///         cx.emit_all(lines.drain());
///         Ok(())
///     }
/// }
///
/// /// A mark.
/// struct Mark(u64);
///
/// impl Info<Mark> for Lines {
///     async fn handle_info(&mut self, Mark(number): Mark, _: &mut Context<Self>) -> Result {
///         println!("everything before mark {number} has been sent");
///         Ok(())
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// # let running = pipeline! { lines = Lines; from_iter(["to", "be"].map(String::from)) => lines => for_each(|line: String| drop(line)); }.start()?;
/// // It may have ended by now: then the message comes back.
/// let _ = running.lines.info(Mark(1)).await;
/// running.join().await?;
/// # Ok(())
/// # }
/// ```
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

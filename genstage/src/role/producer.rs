use super::{Kind, Role, Stage};
use crate::{Cancelled, Context, Reason, Result, Subscription};

/// A stage that is a source: it emits events when its consumers ask for some.
///
/// Implemented by a struct with `#[stage(producer)]` on it.
///
/// ```
/// use genstage::prelude::*;
///
/// /// Counts upwards.
/// #[stage(producer)]
/// struct Counter {
///     next: u64,
/// }
///
/// impl Producer for Counter {
///     type Event = u64;
///
///     async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
///         let end = self.next + demand as u64;
///         cx.emit_all(self.next..end);
///         self.next = end;
///         Ok(())
///     }
/// }
/// ```
///
/// # Options of `#[stage(producer, …)]`
///
/// * `buffer_size = 10_000`: how many events wait at most when more are emitted than were asked for, or `unbounded`.
/// * `buffer_keep = last`: which events stay when the buffer overflows, the `last` ones or the `first`. Those discarded
///   are counted in the [`Summary`](crate::Summary) and reported by a `tracing` warning.
///
/// # Cancellation
///
/// One callback runs at a time. When the pipeline stops because another stage failed or the running pipeline was
/// dropped, a callback that is waiting is dropped at its `await`, and [`terminate`](Self::terminate) runs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is declared a producer but does not implement `Producer`",
    label = "declared a producer here",
    note = "write `impl Producer for {Self}`, or change the role in `#[stage(…)]`"
)]
pub trait Producer: Stage {
    /// The events that leave this stage.
    type Event: Send + 'static;

    /// Runs once, before anything else. An error ends the stage.
    fn init(&mut self, cx: &mut Context<Self>) -> impl Future<Output = Result> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// The consumers ask for `demand` (at least 1) more events; `usize::MAX` is without bound, and asked once.
    ///
    /// Demand that is not met now stands, and is not announced again: emit the rest when there is something, or call
    /// [`finish`](Context::finish). Emitting more than was asked for fills the stage's buffer.
    ///
    /// An error, or a panic, ends the stage; what this call had emitted is lost, and counted so.
    fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>)
    -> impl Future<Output = Result> + Send;

    /// Whether `source` is to be called while so much is wanted.
    #[doc(hidden)]
    fn has_source(&self, due: usize) -> bool {
        let _ = due;
        false
    }

    #[doc(hidden)]
    fn source(&mut self, due: usize, cx: &mut Context<Self>) -> impl Future<Output = Result> + Send {
        let _ = (due, cx);
        std::future::pending()
    }

    /// A consumer has subscribed. It has asked for nothing yet. An error ends the stage.
    fn handle_subscribe(
        &mut self,
        consumer: &Subscription,
        cx: &mut Context<Self>,
    ) -> impl Future<Output = Result> + Send {
        let _ = (consumer, cx);
        std::future::ready(Ok(()))
    }

    /// A subscription has ended: it was cancelled, or the stage on the other side has ended. An error ends the stage.
    fn handle_cancel(
        &mut self,
        cancelled: &Cancelled,
        cx: &mut Context<Self>,
    ) -> impl Future<Output = Result> + Send {
        let _ = (cancelled, cx);
        std::future::ready(Ok(()))
    }

    /// The pipeline is drained: the stage is to emit nothing new, and to finish. It does so at once, unless this is overridden: a
    /// producer that has accepted work may emit it as it is asked to, and call [`Context::finish`] when all of it is out.
    fn on_drain(&mut self, cx: &mut Context<Self>) -> impl Future<Output = Result> + Send {
        cx.finish();
        std::future::ready(Ok(()))
    }

    /// So many events were discarded because the buffer is full. Whether to report it by a `tracing` warning, too; they
    /// are counted in the [`Summary`](crate::Summary) in any case.
    fn on_discarded(&mut self, events: usize) -> bool {
        let _ = events;
        true
    }

    /// Runs once, when the stage has ended and before its neighbours learn of it.
    fn terminate(&mut self, reason: &Reason) -> impl Future<Output = ()> + Send {
        let _ = reason;
        std::future::ready(())
    }
}

/// The trait of the role, as the glue of `#[stage]` sees it. It does not say that the struct is a stage, so that a generic
/// struct can be declared one wherever this holds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is declared a producer but does not implement `Producer`",
    label = "declared a producer here",
    note = "write `impl Producer for {Self}`, or change the role in `#[stage(…)]`"
)]
pub trait DeclaredProducer: Sized + Send + 'static {
    /// What goes out.
    type Event: Send + 'static;
}

#[diagnostic::do_not_recommend]
impl<S: Producer> DeclaredProducer for S {
    type Event = S::Event;
}

/// The role of `#[stage(producer)]`.
#[derive(Debug)]
pub enum ProducerRole {}

#[diagnostic::do_not_recommend]
impl<S: Producer + Stage<Give = <S as Producer>::Event>> Role<S> for ProducerRole {
    const KIND: Kind = Kind::Producer;
    type Front = S;
    type Back = S;
    fn has_source(stage: &S, _: &Context<S>, due: usize) -> bool {
        Producer::has_source(stage, due)
    }

    fn source(stage: &mut S, due: usize, cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        Producer::source(stage, due, cx)
    }

    fn init(stage: &mut S, cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        stage.init(cx)
    }

    fn demand(stage: &mut S, demand: usize, cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        stage.handle_demand(demand, cx)
    }

    fn subscribed_by(
        stage: &mut S,
        consumer: &Subscription,
        cx: &mut Context<S>,
    ) -> impl Future<Output = Result> + Send {
        stage.handle_subscribe(consumer, cx)
    }

    fn cancel(
        stage: &mut S,
        cancelled: &Cancelled,
        cx: &mut Context<S>,
    ) -> impl Future<Output = Result> + Send {
        stage.handle_cancel(cancelled, cx)
    }

    fn drain(stage: &mut S, cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        stage.on_drain(cx)
    }

    fn discarded(stage: &mut S, events: usize) -> bool {
        stage.on_discarded(events)
    }

    fn terminate(stage: &mut S, reason: &Reason) -> impl Future<Output = ()> + Send {
        stage.terminate(reason)
    }
}

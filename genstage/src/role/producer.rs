use super::{Kind, Role, Stage};
use crate::{Context, Reason, Result};

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

    /// The consumers ask for `demand` (at least 1) more events.
    ///
    /// Demand that is not met now stands, and is not announced again: emit the rest when there is something, or call
    /// [`finish`](Context::finish). Emitting more than was asked for fills the stage's buffer.
    ///
    /// An error, or a panic, ends the stage; what this call had emitted is lost, and counted so.
    fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>)
    -> impl Future<Output = Result> + Send;

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

    fn init(stage: &mut S, cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        stage.init(cx)
    }

    fn demand(stage: &mut S, demand: usize, cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        stage.handle_demand(demand, cx)
    }

    fn terminate(stage: &mut S, reason: &Reason) -> impl Future<Output = ()> + Send {
        stage.terminate(reason)
    }
}

use super::{Kind, Role, Stage};
use crate::{Batch, Cancelled, Context, Demand, Reason, Result, Subscription};

/// A stage that is a sink: events come in and none go out.
///
/// Implemented by a struct with `#[stage(consumer)]` on it. It asks its producers for events by itself: the next when
/// it has handled enough of those before.
///
/// ```
/// use genstage::prelude::*;
///
/// #[stage(consumer)]
/// struct Printer;
///
/// impl Consumer for Printer {
///     type Event = u64;
///
///     async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
///         for n in events.drain() {
///             println!("{} {n}", cx.name());
///         }
///         Ok(())
///     }
/// }
/// ```
///
/// # Options of `#[stage(consumer, …)]`
///
/// * `max_demand = 1000`, `min_demand = max_demand / 2`: the window of its subscriptions where the edge states none.
///
/// # Cancellation
///
/// As for [`Producer`](crate::Producer).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is declared a consumer but does not implement `Consumer`",
    label = "declared a consumer here",
    note = "write `impl Consumer for {Self}`, or change the role in `#[stage(…)]`"
)]
pub trait Consumer: Stage {
    /// The events that come in.
    type Event: Send + 'static;

    /// Runs once, before anything else. An error ends the stage.
    fn init(&mut self, cx: &mut Context<Self>) -> impl Future<Output = Result> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Events have come: at least one, at most `max_demand - min_demand`, all over one subscription and in the order
    /// in which they were emitted.
    ///
    /// An error, or a panic, ends the stage; the batch is lost, and counted so.
    fn handle_events(
        &mut self,
        events: &mut Batch<Self::Event>,
        cx: &mut Context<Self>,
    ) -> impl Future<Output = Result> + Send;

    /// The stage has subscribed to a producer, and chooses how to ask it. Nothing is asked before. An error ends the stage.
    fn handle_subscribe(
        &mut self,
        producer: &Subscription,
        cx: &mut Context<Self>,
    ) -> impl Future<Output = Result<Demand>> + Send {
        let _ = (producer, cx);
        std::future::ready(Ok(Demand::Automatic))
    }

    /// A subscription has ended: it was cancelled, or the stage on the other side has ended. What else it does is up to its [`Cancel`](crate::Cancel) mode,
    /// after this. An error ends the stage.
    fn handle_cancel(
        &mut self,
        cancelled: &Cancelled,
        cx: &mut Context<Self>,
    ) -> impl Future<Output = Result> + Send {
        let _ = (cancelled, cx);
        std::future::ready(Ok(()))
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
    message = "`{Self}` is declared a consumer but does not implement `Consumer`",
    label = "declared a consumer here",
    note = "write `impl Consumer for {Self}`, or change the role in `#[stage(…)]`"
)]
pub trait DeclaredConsumer: Sized + Send + 'static {
    /// What comes in.
    type Event: Send + 'static;
}

#[diagnostic::do_not_recommend]
impl<S: Consumer> DeclaredConsumer for S {
    type Event = S::Event;
}

/// The role of `#[stage(consumer)]`.
#[derive(Debug)]
pub enum ConsumerRole {}

#[diagnostic::do_not_recommend]
impl<S: Consumer + Stage<Take = <S as Consumer>::Event>> Role<S> for ConsumerRole {
    const KIND: Kind = Kind::Consumer;
    type Front = S;
    type Back = S;

    fn init(stage: &mut S, cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        stage.init(cx)
    }

    fn events(
        stage: &mut S,
        events: &mut Batch<S::Take>,
        cx: &mut Context<S>,
    ) -> impl Future<Output = Result> + Send {
        stage.handle_events(events, cx)
    }

    fn subscribe(
        stage: &mut S,
        producer: &Subscription,
        cx: &mut Context<S>,
    ) -> impl Future<Output = Result<Demand>> + Send {
        stage.handle_subscribe(producer, cx)
    }

    fn cancel(
        stage: &mut S,
        cancelled: &Cancelled,
        cx: &mut Context<S>,
    ) -> impl Future<Output = Result> + Send {
        stage.handle_cancel(cancelled, cx)
    }

    fn terminate(stage: &mut S, reason: &Reason) -> impl Future<Output = ()> + Send {
        stage.terminate(reason)
    }
}

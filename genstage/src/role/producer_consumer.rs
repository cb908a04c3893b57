use super::{Kind, Role, Stage};
use crate::{Batch, Cancelled, Context, Demand, Reason, Result, Subscription};

/// A stage in the middle: it takes events in and emits others.
///
/// Implemented by a struct with `#[stage(producer_consumer)]` on it. It asks its producers for events by itself, and
/// handles them only while its own consumers want something of it: so back-pressure reaches through it.
///
/// ```
/// use genstage::prelude::*;
///
/// /// Keeps the even numbers.
/// #[stage(producer_consumer)]
/// struct Evens;
///
/// impl ProducerConsumer for Evens {
///     type Input = u64;
///     type Output = u64;
///
///     async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
///         cx.emit_all(events.drain().filter(|n| n % 2 == 0));
///         Ok(())
///     }
/// }
/// ```
///
/// # Options of `#[stage(producer_consumer, …)]`
///
/// * `max_demand = 1000`, `min_demand = max_demand / 2`: the window of its subscriptions where the edge states none.
/// * `buffer_size = unbounded`: how many events wait at most when one batch expands to more than was asked for.
/// * `buffer_keep = last`: which events stay when the buffer overflows, the `last` ones or the `first`.
///
/// # Cancellation
///
/// As for [`Producer`](crate::Producer).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is declared a producer_consumer but does not implement `ProducerConsumer`",
    label = "declared a producer_consumer here",
    note = "write `impl ProducerConsumer for {Self}`, or change the role in `#[stage(…)]`"
)]
pub trait ProducerConsumer: Stage {
    /// The events that come in.
    type Input: Send + 'static;
    /// The events that go out.
    type Output: Send + 'static;

    /// Runs once, before anything else. An error ends the stage.
    fn init(&mut self, cx: &mut Context<Self>) -> impl Future<Output = Result> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Events have come: at least one, at most `max_demand - min_demand`, all over one subscription and in the order
    /// in which they were emitted.
    ///
    /// What is emitted goes out before more is asked for upstream. An error, or a panic, ends the stage; the batch and
    /// what this call had emitted are lost, and counted so.
    fn handle_events(
        &mut self,
        events: &mut Batch<Self::Input>,
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

    /// A consumer has subscribed. It has asked for nothing yet. An error ends the stage.
    fn handle_subscribed(
        &mut self,
        consumer: &Subscription,
        cx: &mut Context<Self>,
    ) -> impl Future<Output = Result> + Send {
        let _ = (consumer, cx);
        std::future::ready(Ok(()))
    }

    /// A subscription has ended: it was cancelled, or the stage on the other side has ended. It comes
    /// behind the events that came before. An error ends the stage.
    fn handle_cancel(
        &mut self,
        cancelled: &Cancelled,
        cx: &mut Context<Self>,
    ) -> impl Future<Output = Result> + Send {
        let _ = (cancelled, cx);
        std::future::ready(Ok(()))
    }

    /// How many events the stage has taken in and keeps: they are counted if it ends before they have come to anything.
    #[doc(hidden)]
    fn held(&self) -> usize {
        0
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
    message = "`{Self}` is declared a producer_consumer but does not implement `ProducerConsumer`",
    label = "declared a producer_consumer here",
    note = "write `impl ProducerConsumer for {Self}`, or change the role in `#[stage(…)]`"
)]
pub trait DeclaredProducerConsumer: Sized + Send + 'static {
    /// What comes in.
    type Input: Send + 'static;
    /// What goes out.
    type Output: Send + 'static;
}

#[diagnostic::do_not_recommend]
impl<S: ProducerConsumer> DeclaredProducerConsumer for S {
    type Input = S::Input;
    type Output = S::Output;
}

/// The role of `#[stage(producer_consumer)]`.
#[derive(Debug)]
pub enum ProducerConsumerRole {}

#[diagnostic::do_not_recommend]
impl<
    S: ProducerConsumer + Stage<Take = <S as ProducerConsumer>::Input, Give = <S as ProducerConsumer>::Output>,
> Role<S> for ProducerConsumerRole
{
    const KIND: Kind = Kind::ProducerConsumer;
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

    fn subscribed_by(
        stage: &mut S,
        consumer: &Subscription,
        cx: &mut Context<S>,
    ) -> impl Future<Output = Result> + Send {
        stage.handle_subscribed(consumer, cx)
    }

    fn cancel(
        stage: &mut S,
        cancelled: &Cancelled,
        cx: &mut Context<S>,
    ) -> impl Future<Output = Result> + Send {
        stage.handle_cancel(cancelled, cx)
    }

    fn held(stage: &S) -> usize {
        ProducerConsumer::held(stage)
    }

    fn discarded(stage: &mut S, events: usize) -> bool {
        stage.on_discarded(events)
    }

    fn terminate(stage: &mut S, reason: &Reason) -> impl Future<Output = ()> + Send {
        stage.terminate(reason)
    }
}

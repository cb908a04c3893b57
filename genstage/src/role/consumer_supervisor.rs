use super::{Kind, Nothing, Role, Stage};
use crate::children::{Child, Children};
use crate::{Batch, Cancelled, Context, Demand, Reason, Result, Subscription};

/// A consumer that starts a task, its child, for every event, and has at most `max_demand` of them at a time.
///
/// Implemented by a struct with `#[stage(consumer_supervisor)]` on it. It asks for as many events as it may have children, and for
/// more as children end: whenever no more than `min_demand` of a subscription's children are left, for as many as are missing to
/// `max_demand`. (GenStage documents it so, and asks again when `min_demand` children have ended.)
///
/// ```
/// use genstage::prelude::*;
/// use genstage::{Child, ConsumerSupervisor};
///
/// /// Prints every event, from a task of its own.
/// #[stage(consumer_supervisor, max_demand = 50, min_demand = 40)]
/// struct Printers;
///
/// impl ConsumerSupervisor for Printers {
///     type Event = u64;
///
///     fn start_child(&mut self, n: u64, _: &Child) -> Result<impl Future<Output = Result> + Send + 'static> {
///         Ok(async move {
///             println!("{n}");
///             Ok(())
///         })
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let summary = pipeline! { printers = Printers; from_iter(0..100) => printers; }.run().await?;
/// assert_eq!(summary.stage("printers").map(|printers| printers.events_in), Some(100));
/// # Ok(())
/// # }
/// ```
///
/// # Options of `#[stage(consumer_supervisor, …)]`
///
/// * `max_demand = 1000`, `min_demand = max_demand / 2`: the window of its subscriptions where the edge states none.
/// * `restart = temporary`: a child that fails is reported and lost; `restart = transient`: it is begun anew, from a clone of its
///   event, so events are `Clone`.
/// * `max_restarts = 3`, `within = Duration::from_secs(5)`: one restart more than that within that time, of all children together,
///   and the stage ends with [`Reason::Shutdown`]; what failed last is the failure of its pipeline.
/// * `shutdown = Duration::from_secs(5)`: how long a child that is to end may take, before it is dropped; or `abort`, or
///   `unbounded`. A child learns of it by its [`Stopping`](crate::Stopping); one that has not taken that is dropped at once.
///
/// # Ends
///
/// The normal end of its last producer, or a drain, ends the stage when the last child has ended. By any other end its children are
/// shut down. A child's event counts as lost if the child failed for good, could not be started, or was dropped.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is declared a consumer_supervisor but does not implement `ConsumerSupervisor`",
    label = "declared a consumer_supervisor here",
    note = "write `impl ConsumerSupervisor for {Self}`, or change the role in `#[stage(…)]`"
)]
pub trait ConsumerSupervisor: Stage {
    /// The events that come in.
    type Event: Send + 'static;

    /// Runs once, before anything else. An error ends the stage.
    fn init(&mut self, cx: &mut Context<Self>) -> impl Future<Output = Result> + Send {
        let _ = cx;
        std::future::ready(Ok(()))
    }

    /// Makes the task of an event, which is started when this returns: a future that owns what it needs. The child has failed if
    /// that returns an error or panics.
    ///
    /// # Errors
    ///
    /// Whatever keeps the child from being started: it is reported, the event is lost, and the stage goes on. So it is with a
    /// panic. [`Ignore`](crate::Ignore) says that there is to be no child, and loses nothing.
    fn start_child(
        &mut self,
        event: Self::Event,
        child: &Child,
    ) -> Result<impl Future<Output = Result> + Send + 'static>;

    /// The stage has subscribed to a producer. An error ends the stage.
    fn handle_subscribe(
        &mut self,
        producer: &Subscription,
        cx: &mut Context<Self>,
    ) -> impl Future<Output = Result> + Send {
        let _ = (producer, cx);
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

    /// Runs once, when the stage has ended, after its children have and before its neighbours learn of it.
    fn terminate(&mut self, reason: &Reason) -> impl Future<Output = ()> + Send {
        let _ = reason;
        std::future::ready(())
    }
}

/// The trait of the role, as the glue of `#[stage]` sees it. It does not say that the struct is a stage, so that a generic
/// struct can be declared one wherever this holds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is declared a consumer_supervisor but does not implement `ConsumerSupervisor`",
    label = "declared a consumer_supervisor here",
    note = "write `impl ConsumerSupervisor for {Self}`, or change the role in `#[stage(…)]`"
)]
pub trait DeclaredConsumerSupervisor: Sized + Send + 'static {
    /// What comes in.
    type Event: Send + 'static;
}

#[diagnostic::do_not_recommend]
impl<S: ConsumerSupervisor> DeclaredConsumerSupervisor for S {
    type Event = <S as ConsumerSupervisor>::Event;
}

/// The role of `#[stage(consumer_supervisor)]`.
#[derive(Debug)]
pub enum ConsumerSupervisorRole {}

#[diagnostic::do_not_recommend]
impl<S: ConsumerSupervisor + Stage<Take = <S as ConsumerSupervisor>::Event, Give = Nothing>> Role<S>
    for ConsumerSupervisorRole
{
    const KIND: Kind = Kind::ConsumerSupervisor;
    type Front = S;
    type Back = S;

    fn init(stage: &mut S, cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        stage.init(cx)
    }

    async fn events(stage: &mut S, events: &mut Batch<S::Take>, cx: &mut Context<S>) -> Result {
        let children = cx.children();
        events.drain().for_each(|event| children.take(stage, event));
        Ok(())
    }

    fn has_source(_: &S, cx: &Context<S>, _: usize) -> bool {
        cx.children.as_ref().is_some_and(|children| children.count().workers > 0)
    }

    async fn source(stage: &mut S, _: usize, cx: &mut Context<S>) -> Result {
        Children::turn(cx.children(), stage).await;
        Ok(())
    }

    async fn subscribe(stage: &mut S, producer: &Subscription, cx: &mut Context<S>) -> Result<Demand> {
        stage.handle_subscribe(producer, cx).await?;
        Ok(Demand::Automatic)
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

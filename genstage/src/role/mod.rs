//! The roles a stage can have: what the user implements, and what `#[stage]` adds.

mod consumer;
mod consumer_supervisor;
mod paced;
mod producer;
mod producer_consumer;

pub use consumer::{Consumer, ConsumerRole, DeclaredConsumer};
pub use consumer_supervisor::{ConsumerSupervisor, ConsumerSupervisorRole, DeclaredConsumerSupervisor};
pub(crate) use paced::paced;
pub(crate) use paced::{Paced, PacedRole};
pub use producer::{DeclaredProducer, Producer, ProducerRole};
pub use producer_consumer::{DeclaredProducerConsumer, ProducerConsumer, ProducerConsumerRole};

use std::sync::Arc;
use std::time::Duration;

use crate::buffer::{Capacity, Keep};
use crate::children::{ChildOptions, Shutdown};
use crate::dispatch::Dispatcher;
use crate::machine::Pace;
use crate::snapshot::plain_type_name;
use crate::{Batch, Cancelled, Context, Demand, DemandMode, Error, Reason, Result, Subscription};

/// A struct with `#[stage(…)]` on it.
///
/// The attribute implements this trait; nothing else should. It ties the struct to its role and carries the options
/// that the attribute states.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stage",
    label = "not a stage",
    note = "put `#[stage(producer)]`, `#[stage(producer_consumer)]` or `#[stage(consumer)]` on it"
)]
pub trait Stage: Sized + Send + 'static {
    /// The role, as declared.
    #[doc(hidden)]
    type Role;
    /// The events that come in; [`Nothing`] for a producer.
    #[doc(hidden)]
    type Take;
    /// The events that go out; [`Nothing`] for a consumer.
    #[doc(hidden)]
    type Give;
    /// Who gets which event.
    #[doc(hidden)]
    type Dispatcher;

    /// What the attribute states besides the role.
    #[doc(hidden)]
    fn options(&self) -> StageOptions;

    /// A copy of an event, for a child that may be begun anew.
    #[doc(hidden)]
    fn keep(event: &Self::Take) -> Option<Self::Take> {
        let _ = event;
        None
    }

    /// The stage's dispatcher, new.
    #[doc(hidden)]
    fn dispatcher(&self) -> Self::Dispatcher;
}

/// A stage that `#[stage]` has checked where it is declared: if it cannot run, that was reported there.
pub trait Checked: Stage {}

/// The events of the side that a role does not have.
#[derive(Debug)]
pub enum Nothing {}

/// A stage that has consumers: a producer or a producer-consumer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a consumer: it has nothing to emit",
    label = "a consumer cannot emit",
    note = "declare it `#[stage(producer_consumer)]` and implement `ProducerConsumer` if events are to leave it"
)]
pub trait Emits: Stage<Give = <Self as Emits>::Emitted> {
    /// The type of the events that leave the stage.
    type Emitted;
}

/// The roles, at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Emits only.
    Producer,
    /// Takes in and emits.
    ProducerConsumer,
    /// Takes in only.
    Consumer,
    /// Takes in only, and starts a task for each event.
    ConsumerSupervisor,
}

/// A stage that implements the trait of its role, so that it can be run.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stage, or not one that can run",
    label = "not a stage, or not one that can run",
    note = "a stage has `#[stage(producer)]`, `#[stage(producer_consumer)]` or `#[stage(consumer)]` on it, and implements its role's trait"
)]
pub trait Runnable:
    Stage<
        Role: Role<Self>,
        Take: Send + 'static,
        Give: Send + 'static,
        Dispatcher: Dispatcher<<Self as Stage>::Give>,
    >
{
}

impl<S> Runnable for S where
    S: Stage<
            Role: Role<S>,
            Take: Send + 'static,
            Give: Send + 'static,
            Dispatcher: Dispatcher<<S as Stage>::Give>,
        >
{
}

/// How the runtime reaches the callbacks of a stage of this role.
pub trait Role<S: Stage> {
    /// Which role this is.
    const KIND: Kind;
    /// The stage, or its part, that takes events in.
    type Front;
    /// The stage, or its part, that gives events out.
    type Back;

    /// The types of its parts, without path and parameters.
    fn parts() -> Vec<&'static str> {
        vec![plain_type_name::<S>()]
    }

    /// Calls `init`.
    fn init(stage: &mut S, cx: &mut Context<S>) -> impl Future<Output = Result> + Send;

    /// Calls `handle_demand`; never called for a role without it.
    fn demand(_stage: &mut S, _demand: usize, _cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        std::future::ready(Ok(()))
    }

    /// Calls `handle_events`; never called for a role without it.
    fn events(
        _stage: &mut S,
        _events: &mut Batch<S::Take>,
        _cx: &mut Context<S>,
    ) -> impl Future<Output = Result> + Send {
        std::future::ready(Ok(()))
    }

    /// Whether it has parts.
    const IS_FUSED: bool = false;
    /// Whether its callbacks are to know what is due.
    const KNOWS_DUE: bool = false;

    /// Whether something may come of itself: then [`source`](Self::source) is raced against the mailbox.
    fn has_source(_stage: &S, _cx: &Context<S>, _due: usize) -> bool {
        false
    }

    /// Waits for what comes of itself; of events, emits at most `due`. Dropped when a message comes first.
    fn source(_stage: &mut S, _due: usize, _cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        std::future::pending()
    }

    /// Goes on with what has come of itself: a callback as others.
    fn sourced(_stage: &mut S, _cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        std::future::ready(Ok(()))
    }

    /// The stage finishes: the parts that have not said so learn of it. Called once of a stage that has any.
    fn finished(_stage: &mut S, _cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        std::future::ready(Ok(()))
    }

    /// How many events the callback had emitted that has failed.
    fn emitted(_stage: &S, cx: &Context<S>) -> usize {
        cx.out.len()
    }

    /// How a stage goes that works between its callbacks.
    fn pace(_stage: &S) -> Option<Pace> {
        None
    }

    /// How many events wait within the stage.
    fn held(_stage: &S) -> usize {
        0
    }

    /// The part of the stage whose callback has failed, if it has any.
    fn culprit(_stage: &S) -> Option<Arc<str>> {
        None
    }

    /// Calls the callback for a new producer.
    fn subscribe(
        _stage: &mut S,
        _producer: &Subscription,
        _cx: &mut Context<S>,
    ) -> impl Future<Output = Result<Demand>> + Send {
        std::future::ready(Ok(Demand::Automatic))
    }

    /// Calls the callback for a new consumer.
    fn subscribed_by(
        _stage: &mut S,
        _consumer: &Subscription,
        _cx: &mut Context<S>,
    ) -> impl Future<Output = Result> + Send {
        std::future::ready(Ok(()))
    }

    /// Calls `handle_cancel`.
    fn cancel(
        stage: &mut S,
        cancelled: &Cancelled,
        cx: &mut Context<S>,
    ) -> impl Future<Output = Result> + Send;

    /// Calls `on_drain`; never called for a role without it.
    fn drain(_stage: &mut S, _cx: &mut Context<S>) -> impl Future<Output = Result> + Send {
        std::future::ready(Ok(()))
    }

    /// Calls `on_discarded`; whether to warn.
    fn discarded(_stage: &mut S, _events: usize) -> bool {
        true
    }

    /// Calls `terminate`.
    fn terminate(stage: &mut S, reason: &Reason) -> impl Future<Output = ()> + Send;
}

/// What `#[stage]` states besides the role.
#[derive(Clone, Copy, Debug)]
pub struct StageOptions {
    pub(crate) buffer_size: Option<Capacity>,
    pub(crate) buffer_keep: Keep,
    pub(crate) max_demand: Option<usize>,
    pub(crate) min_demand: Option<usize>,
    pub(crate) demand: DemandMode,
    pub(crate) blocking: bool,
    pub(crate) children: ChildOptions,
}

impl StageOptions {
    /// Nothing stated.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "used in constants, where `Default` cannot be called")]
    pub const fn new() -> Self {
        Self {
            buffer_size: None,
            buffer_keep: Keep::Last,
            max_demand: None,
            min_demand: None,
            demand: DemandMode::Forward,
            blocking: false,
            children: ChildOptions::DEFAULT,
        }
    }

    /// `buffer_size = …`
    #[must_use]
    pub const fn buffer_size(mut self, capacity: Capacity) -> Self {
        self.buffer_size = Some(capacity);
        self
    }

    /// `buffer_keep = …`
    #[must_use]
    pub const fn buffer_keep(mut self, keep: Keep) -> Self {
        self.buffer_keep = keep;
        self
    }

    /// `max_demand = …`
    #[must_use]
    pub const fn max_demand(mut self, events: usize) -> Self {
        self.max_demand = Some(events);
        self
    }

    /// `min_demand = …`
    #[must_use]
    pub const fn min_demand(mut self, events: usize) -> Self {
        self.min_demand = Some(events);
        self
    }

    /// `demand = …`
    #[must_use]
    pub const fn demand(mut self, mode: DemandMode) -> Self {
        self.demand = mode;
        self
    }

    /// `blocking`
    #[must_use]
    pub const fn blocking(mut self) -> Self {
        self.blocking = true;
        self
    }

    /// `shutdown = …`
    #[must_use]
    pub const fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.children.shutdown = shutdown;
        self
    }

    /// `max_restarts = …`
    #[must_use]
    pub const fn max_restarts(mut self, restarts: usize) -> Self {
        self.children.limit.max_restarts = restarts;
        self
    }

    /// `within = …`
    #[must_use]
    pub const fn within(mut self, within: Duration) -> Self {
        self.children.limit.within = within;
        self
    }

    /// Of a stage made of two: in front it is the first, and behind it is the second.
    pub(crate) fn fused(self, second: Self) -> Self {
        Self {
            max_demand: self.max_demand,
            min_demand: self.min_demand,
            demand: self.demand,
            blocking: self.blocking || second.blocking,
            // Whatever stands before it, it takes in only what is wanted of it.
            buffer_size: second.buffer_size.or(Some(Capacity::PRODUCER_CONSUMER)),
            ..second
        }
    }

    /// Whether the values make sense that only the stage itself knows.
    pub(crate) fn check(&self) -> Result {
        match self.buffer_size {
            Some(Capacity::Events(0)) => Err(Error::msg("expected buffer_size >= 1, got 0")),
            _ => Ok(()),
        }
    }

    /// The buffer of a stage of that kind with these options.
    pub(crate) fn capacity(&self, kind: Kind) -> Capacity {
        self.buffer_size.unwrap_or(match kind {
            Kind::ProducerConsumer => Capacity::PRODUCER_CONSUMER,
            Kind::Producer | Kind::Consumer | Kind::ConsumerSupervisor => Capacity::PRODUCER,
        })
    }
}

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Reason;
use crate::demand::{Window, WindowError};
use crate::dispatch::{Partition, Selector};
use crate::machine::Upstream;
use crate::rate::{Limited, Rate};
use crate::role::StageOptions;
use crate::watch::EdgeGauges;

/// Names one subscription, unlike any other of the process: messages of one that has ended never meet another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SubscriptionId(u64);

impl SubscriptionId {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// One subscription of a consumer to a producer, seen from one of them. A name for it, and what has gone over it: keeping one keeps neither
/// stage, and its numbers are those of now, whenever they are read.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub(crate) id: SubscriptionId,
    pub(crate) side: Side,
    pub(crate) peer: Arc<str>,
    pub(crate) max_demand: usize,
    pub(crate) gauges: Arc<EdgeGauges>,
}

impl Subscription {
    /// A new subscription, as the producer and as the consumer sees it.
    pub(crate) fn pair(producer: &Arc<str>, consumer: &Arc<str>, max_demand: usize) -> (Self, Self) {
        let (id, gauges) = (SubscriptionId::next(), Arc::<EdgeGauges>::default());
        let ours =
            Self { id, side: Side::Consumer, peer: consumer.clone(), max_demand, gauges: gauges.clone() };
        (ours, Self { id, side: Side::Producer, peer: producer.clone(), max_demand, gauges })
    }

    /// How many events may be on their way over it, as its options or its consumer's say. A consumer that asks by itself
    /// ([`Demand::Manual`]) may keep to that, or not.
    #[must_use]
    pub fn max_demand(&self) -> usize {
        self.max_demand
    }

    /// The name of the stage on the other side.
    #[must_use]
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// Which side the other stage is on.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// How many events the consumer has asked for so far; `u64::MAX` if it once asked for as many as there are.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.gauges.asked.get()
    }

    /// How many events the producer has sent so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.gauges.sent.get()
    }

    /// How many events the consumer has handled so far.
    #[must_use]
    pub fn handled(&self) -> u64 {
        self.gauges.handled.get()
    }
}

impl PartialEq for Subscription {
    fn eq(&self, other: &Self) -> bool {
        (self.id, self.side) == (other.id, other.side)
    }
}

impl Eq for Subscription {}

impl Hash for Subscription {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.id, self.side).hash(state);
    }
}

/// A side of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The stage that emits.
    Producer,
    /// The stage that asks.
    Consumer,
}

/// How the demand over a subscription comes about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Demand {
    /// The demand window: `max_demand` at first, and more as events are handled. GenStage's default.
    #[default]
    Automatic,
    /// The stage asks itself, by [`Context::ask`](crate::Context::ask) or from outside; what comes is handled as it comes, without being cut into
    /// batches. The window has no meaning then.
    ///
    /// ```
    /// use genstage::prelude::*;
    /// use genstage::{Demand, Subscription};
    ///
    /// /// Asks for one event, and for the next when it is done with that.
    /// #[stage(consumer)]
    /// struct OneByOne(Option<Subscription>);
    ///
    /// impl Consumer for OneByOne {
    ///     type Event = u64;
    ///
    ///     async fn handle_subscribe(&mut self, producer: &Subscription, cx: &mut Context<Self>) -> Result<Demand> {
    ///         cx.ask(producer, 1);
    ///         self.0 = Some(producer.clone());
    ///         Ok(Demand::Manual)
    ///     }
    ///
    ///     async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
    ///         assert_eq!(events.len(), 1);
    ///         if let Some(producer) = &self.0 {
    ///             cx.ask(producer, 1);
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # #[tokio::main]
    /// # async fn main() -> Result {
    /// # pipeline! { consumer = OneByOne(None); from_iter(0..10) => consumer; }.run().await?;
    /// # Ok(())
    /// # }
    /// ```
    Manual,
}

/// What a stage does with the demand of its consumers: the option `demand` of `#[stage]`, and [`StageRef::set_demand`](crate::StageRef::set_demand).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DemandMode {
    /// Meets it. The default.
    #[default]
    Forward,
    /// Keeps it until it is told to forward.
    Accumulate,
}

/// How a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelKind {
    /// Somebody cancelled it; both stages may go on.
    Cancel,
    /// The stage on the other side has ended.
    Down,
}

/// The end of a subscription.
#[derive(Clone, Debug)]
pub struct Cancelled {
    pub(crate) id: SubscriptionId,
    pub(crate) side: Side,
    /// Whether it was cancelled or the other stage has ended.
    pub kind: CancelKind,
    /// Why.
    pub reason: Reason,
}

impl Cancelled {
    pub(crate) fn new(id: SubscriptionId, side: Side, kind: CancelKind, reason: Reason) -> Self {
        Self { id, side, kind, reason }
    }

    /// Which side the other stage was on.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Whether it was this subscription.
    #[must_use]
    pub fn is(&self, subscription: &Subscription) -> bool {
        self.id == subscription.id
    }
}

/// Names one stage, unlike any other of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StageId(u64);

impl StageId {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What the end of one side of a subscription does to the other.
///
/// The last three are GenStage's and concern the consumer only; [`Cancel::Complete`] is ours, made for pipelines that
/// come to an end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancel {
    /// The normal end of a consumer's last producer ends the consumer normally, after what it has queued; the normal end
    /// of a producer's last consumer ends the producer. Any other end of one stops the other with
    /// [`Reason::Shutdown`](crate::Reason::Shutdown). The default of edges in `pipeline!`.
    #[default]
    Complete,
    /// The consumer ends whenever the producer does, with the same reason.
    Permanent,
    /// The consumer ends, with the same reason, when the producer fails.
    Transient,
    /// The consumer goes on, whatever happens to the producer.
    Temporary,
}

/// The options of a subscription.
///
/// What is not stated is the consumer's own default for `max_demand` and `min_demand`, and [`Cancel::Permanent`], as in
/// GenStage; in `pipeline!` [`Cancel::Complete`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Subscribe<O = ()> {
    max_demand: Option<usize>,
    min_demand: Option<usize>,
    pub(crate) rate: Option<Rate>,
    pub(crate) cancel: Option<Cancel>,
    pub(crate) options: O,
}

/// Options for the producer's dispatcher, stated.
#[derive(Clone, Copy, Debug)]
pub struct Stated<X>(pub(crate) X);

/// What can be handed to a dispatcher that wants `X`: `X` itself, or nothing if it has a default.
#[diagnostic::on_unimplemented(
    message = "the options of this edge do not fit the producer's dispatcher, which takes `{X}`",
    label = "not what the producer's dispatcher takes",
    note = "`partition` is for `dispatcher = partition(…)`, `selector` for `dispatcher = broadcast`"
)]
pub trait DispatchOptions<X> {
    /// The options of one consumer; of replicas, of the one with that number.
    fn into_options(self, replica: usize) -> X;
}

#[diagnostic::do_not_recommend]
impl<X: Default> DispatchOptions<X> for () {
    fn into_options(self, _: usize) -> X {
        X::default()
    }
}

impl<X> DispatchOptions<X> for Stated<X> {
    fn into_options(self, _: usize) -> X {
        self.0
    }
}

/// Nothing is stated on an edge of a pipeline.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unstated;

#[diagnostic::do_not_recommend]
impl<X: Default> DispatchOptions<X> for Unstated {
    fn into_options(self, _: usize) -> X {
        X::default()
    }
}

/// Each replica of a consumer takes the partition of its own number.
impl DispatchOptions<Partition> for Unstated {
    fn into_options(self, replica: usize) -> Partition {
        Partition(replica)
    }
}

impl Subscribe {
    /// Nothing stated.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Subscribe<Unstated> {
    /// An edge of a pipeline that states nothing.
    #[doc(hidden)]
    #[must_use]
    pub fn edge() -> Self {
        Self::default()
    }
}

impl<O> Subscribe<O> {
    /// The most events that may be on their way over this subscription; at least 1.
    #[must_use]
    pub fn max_demand(mut self, events: usize) -> Self {
        self.max_demand = Some(events);
        self
    }

    /// How few events may be outstanding before more are asked for; below `max_demand`.
    #[must_use]
    pub fn min_demand(mut self, events: usize) -> Self {
        self.min_demand = Some(events);
        self
    }

    /// How many events come over this subscription at most, in a given time; without a limit if it is not stated. A consumer that asks by
    /// itself limits itself.
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// What the end of one side does to the other.
    #[must_use]
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// The partition of a [`PartitionDispatcher`](crate::PartitionDispatcher) that the consumer is for: its number, or the
    /// value of the enum whose values are the partitions.
    #[must_use]
    pub fn partition<K>(self, partition: K) -> Subscribe<Stated<Partition<K>>> {
        self.dispatch(Partition(partition))
    }

    /// Which events of a [`BroadcastDispatcher`](crate::BroadcastDispatcher) the consumer wants.
    #[must_use]
    pub fn selector<T>(self, wanted: impl Fn(&T) -> bool + Send + 'static) -> Subscribe<Stated<Selector<T>>> {
        self.dispatch(Selector::new(wanted))
    }

    /// The options that a dispatcher of one's own wants.
    #[must_use]
    pub fn dispatch<X>(self, options: X) -> Subscribe<Stated<X>> {
        let Self { max_demand, min_demand, rate, cancel, .. } = self;
        Subscribe { max_demand, min_demand, rate, cancel, options: Stated(options) }
    }

    /// The window of a subscription with these options by something that has no defaults of its own.
    pub(crate) fn window_of_its_own(&self) -> Result<Window, WindowError> {
        self.window_of(self.max_demand, self.min_demand)
    }

    /// The window of a subscription with these options by a stage with those. A subscription that states `max_demand` has
    /// stated the window: the stage's own `min_demand` belonged to the stage's own `max_demand`.
    pub(crate) fn window(&self, stage: &StageOptions) -> Result<Window, WindowError> {
        match self.max_demand {
            Some(max) => self.window_of(Some(max), self.min_demand),
            None => self.window_of(stage.max_demand, self.min_demand.or(stage.min_demand)),
        }
    }

    fn window_of(&self, max: Option<usize>, min: Option<usize>) -> Result<Window, WindowError> {
        match self.rate {
            Some(rate) => Window::limited(rate.events, max, min),
            None => Window::new(max, min),
        }
    }

    /// The way to the producer of a subscription with these options.
    pub(crate) fn way<T: Send + 'static>(
        &self,
        producer: impl Upstream<T> + Sync + 'static,
    ) -> Box<dyn Upstream<T> + Sync> {
        match self.rate {
            Some(rate) => Box::new(Limited::new(producer, rate)),
            None => Box::new(producer),
        }
    }
}
